"""`manage.py up` on a disk that takes nothing ends with what, where and what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import namespaces
from tests.otto_web.installation import ROOT, Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def var(tmp_path):
    """A folder as an earlier start has left it, as far as `up` looks at it."""
    for name in ("cache", "data", "log", "run", "static", "servers"):
        (tmp_path / "var" / name).mkdir(parents=True)
    (tmp_path / "var" / "secret_key").write_text("kept " * 20)
    (tmp_path / "var" / "log" / "web.log").write_text("said before\n")
    return tmp_path / "var"


def up(var, *prefix):
    """Return what `up` says on such a disk; it must refuse."""
    installation = Installation(var)
    done = subprocess.run(
        [*prefix, sys.executable, "manage.py", "up", "--port", str(installation.port)],
        cwd=ROOT,
        env=installation.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


def test_a_folder_on_a_read_only_disk(var):
    said = up(var, *namespaces.read_only(var))
    assert said.startswith(f"OTTO cannot start: {var} cannot be written. The disk is read-only")
    assert said.endswith("Make it writable again, or name another folder by OTTO_VAR_DIR.")


@pytest.mark.parametrize("part", ["data", "servers", "log/web.log"])
def test_one_part_that_is_read_only_is_named(var, part):
    said = up(var, *namespaces.read_only(var / part))
    assert said.startswith(f"OTTO cannot start: {var / part} cannot be written.")


def test_a_disk_without_room_for_a_file(var):
    said = up(var, *namespaces.small(var / "data", "64k"))
    assert said.startswith(f"OTTO cannot start: {var / 'data'} cannot be written. The disk is full")
    assert "Free some space" in said


def test_a_disk_without_room_for_the_database(var):
    said = up(var, *namespaces.small(var / "servers", "8m"))
    assert "PostgreSQL could not make its folder" in said
    assert "No space left on device" in said


def test_a_new_installation_on_a_read_only_disk(tmp_path):
    said = up(tmp_path / "disk" / "var", *made_and_read_only(tmp_path / "disk"))
    assert said.startswith("OTTO cannot start: OTTO keeps its files in")
    assert "Read-only file system" in said


def made_and_read_only(folder):
    folder.mkdir()
    return namespaces.read_only(folder)
