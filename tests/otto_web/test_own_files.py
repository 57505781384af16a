"""What OTTO writes is closed to other users of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otto_web.own_files import keep_to_this_user

ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import django; django.setup()
from django.conf import settings
from otto_web.lib.files import durable_folder
(settings.OTTO_DATA_DIR / "models").mkdir(parents=True, exist_ok=True)
with durable_folder(settings.OTTO_DATA_DIR / "models" / "m-1") as folder:
    (folder / "model.safetensors").write_bytes(b"weights")
"""


@pytest.fixture(autouse=True)
def _umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


def run(var, *words, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTTO_")}
    settings = {"OTTO_VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "otto_web.settings"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=clean | settings | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_what_a_process_writes_is_its_user_s_alone(tmp_path):
    done = run(tmp_path / "var", "-c", WRITE)
    assert done.returncode == 0, done.stderr
    written = list((tmp_path / "var").rglob("*"))
    assert tmp_path / "var/data/models/m-1/model.safetensors" in written
    assert tmp_path / "var/secret_key" in written
    assert [path for path in written if mode(path) & 0o077] == []
    assert not mode(tmp_path / "var") & 0o066


def test_folders_of_an_older_otto_are_closed_at_the_start(tmp_path):
    var, data = tmp_path / "var", tmp_path / "elsewhere"
    for folder in (var / "data", var / "log", var / "servers", data):
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    var.chmod(0o755)
    keep_to_this_user(var, data)
    assert {mode(var / "data"), mode(var / "log"), mode(data)} == {0o700}
    assert mode(var) == mode(var / "servers") == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["up", "freeze", "run_web"])
def test_a_folder_that_cannot_be_made_ends_in_a_sentence(tmp_path, command):
    (tmp_path / "file").write_text("in the way")
    done = run(tmp_path / "file" / "var", "manage.py", command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"OTTO cannot start: OTTO keeps its files in {tmp_path}")
    assert "OTTO_VAR_DIR" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_setting_that_makes_no_sense_ends_in_a_sentence(tmp_path):
    done = run(tmp_path / "var", "manage.py", "up", OTTO_HTTPS="perhaps")
    assert done.stderr == "OTTO cannot start: OTTO_HTTPS is 'perhaps'; it must be 1 or 0.\n"
