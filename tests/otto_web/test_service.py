"""The unit of systemd that OPERATIONS prints starts OTTO, and starts it again whatever died."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from otto_web.pages.management.commands.up import Command
from otto_web.up import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def text():
    page = (ROOT / "docs/OPERATIONS.md").read_text("utf-8")
    return re.search(r"```ini\n(\[Unit\].*?)```", page, re.DOTALL).group(1)


@pytest.fixture
def unit(text):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    return parser


def test_the_unit_starts_the_command_that_there_is(unit):
    python, manage, name, *options = shlex.split(unit["Service"]["ExecStart"])
    assert (Path(python).name, manage, name) == ("python", "manage.py", "up")
    parsed = Command().create_parser("manage.py", "up").parse_args(options)
    assert (parsed.host, parsed.port) == ("127.0.0.1", 8000)


def test_the_unit_starts_it_again_whatever_died_and_lets_it_stop_in_order(unit):
    service = unit["Service"]
    assert service["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # it never gives up
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS


def test_systemd_finds_nothing_wrong_with_the_unit(text, tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here.")
    file = tmp_path / "otto.service"
    here = text.replace("/srv/otto/.venv/bin/python", "/bin/true").replace(
        "/srv/otto", str(tmp_path)
    )
    file.write_text(here.replace("User=otto", "User=root"), "utf-8")
    done = subprocess.run([analyze, "verify", file], capture_output=True, text=True, check=False)
    assert "otto.service" not in done.stderr, done.stderr
