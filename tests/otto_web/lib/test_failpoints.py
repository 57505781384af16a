"""A failpoint holds, ends or breaks a process, and only under the test settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from otto_web.lib.failpoints import FailpointError, failpoint

WALK = (
    "import django; django.setup(); from otto_web.lib.failpoints import failpoint;"
    "failpoint('a.place'); print('first', flush=True); failpoint('a.place'); print('second')"
)


@pytest.fixture
def walker():
    """Give a function that starts a process which passes `a.place` twice and prints."""
    started = []

    def walk(point, settings="otto_web.settings_test"):
        env = os.environ | point.env | {"DJANGO_SETTINGS_MODULE": settings}
        command = [sys.executable, "-c", WALK]
        started.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield walk
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_stopped_process_goes_on_when_released(walker, failpoint_at):
    point = failpoint_at("a.place", "stop@2")
    process = walker(point)
    assert point.reached() == process.pid
    point.release()
    assert process.communicate(timeout=300)[0] == "first\nsecond\n"


@pytest.mark.slow
def test_a_killed_process_ends_at_the_place_and_only_once(walker, failpoint_at):
    point = failpoint_at("a.place", "kill@2")
    first = walker(point)
    assert first.communicate(timeout=300)[0] == "first\n"
    assert first.returncode == -signal.SIGKILL
    assert walker(point).communicate(timeout=300)[0] == "first\nsecond\n"


@pytest.mark.slow
def test_other_settings_know_no_failpoints(walker, failpoint_at, tmp_path, monkeypatch):
    monkeypatch.setenv("OTTO_VAR_DIR", str(tmp_path / "var"))
    process = walker(failpoint_at("a.place", "kill"), settings="otto_web.settings")
    assert process.communicate(timeout=300)[0] == "first\nsecond\n"


def test_a_held_thread_holds_nobody_else(failpoint_at):
    point = failpoint_at("a.place", "hold")
    point.arm_here()
    thread = threading.Thread(target=failpoint, args=("a.place",))
    thread.start()
    assert point.reached() == os.getpid()
    assert thread.is_alive()
    point.release()
    thread.join(300)
    assert not thread.is_alive()


def test_errors_are_raised_at_the_pass_that_was_named(failpoint_at):
    failpoint_at("a.place", "raise@2").arm_here()
    failpoint("a.place")
    failpoint("another.place")
    with pytest.raises(FailpointError):
        failpoint("a.place")
    failpoint("a.place")
    failpoint_at("a.place", "enospc@every").arm_here()
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            failpoint("a.place")
