"""A tethered process ends with its parent, even with one that was gone before it could ask."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from otto_web.servers.processes import as_parent, tethered
from otto_web.servers.tether import PARENT

SAY_PARENT = [sys.executable, "-c", f"import os; print(os.environ[{PARENT!r}], os.getpid())"]


def run(env, *command):
    words = tethered(command, stop=signal.SIGTERM)
    return subprocess.run(
        words, env=os.environ | env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_command_whose_parent_lives_runs_and_is_the_parent_of_the_next():
    done = run(as_parent(), *SAY_PARENT)
    assert done.returncode == 0, done.stderr
    named, pid = done.stdout.split()
    assert named == pid


def test_a_command_whose_parent_died_before_it_began_does_not_run():
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    done = run({PARENT: str(gone.pid)}, *SAY_PARENT)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "has ended" in done.stderr


@pytest.mark.slow
def test_a_command_ends_when_its_parent_is_killed():
    child = tethered([sys.executable, "-c", "import time; time.sleep(600)"], stop=signal.SIGKILL)
    script = (
        "import os, subprocess, sys, time;"
        f"os.environ[{PARENT!r}] = str(os.getpid());"
        f"print(subprocess.Popen({child!r}).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, _ = psutil.wait_procs([process], timeout=300)
    assert gone
