"""One owner at a time for the servers of an installation."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psutil
import pytest

from otto_web.servers import state
from otto_web.servers.lock import Owner, ServersLock
from otto_web.servers.processes import ProcessName, free_port
from otto_web.servers.state import Services
from otto_web.services_file import read_services


def test_the_second_taker_learns_who_was_first(tmp_path):
    first, second = ServersLock(tmp_path), ServersLock(tmp_path)
    assert first.take("import_files") is None
    assert second.take("up") == Owner("import_files", os.getpid())
    first.release()
    assert second.take("up") is None
    second.release()


@pytest.mark.slow
def test_a_waiter_gives_way_to_up_and_waits_for_commands(tmp_path):
    first, second = ServersLock(tmp_path), ServersLock(tmp_path)
    told = []
    first.take("up")
    assert second.wait("freeze", tell=told.append).name == "up"
    assert told == []
    first.release()
    first.take("train")
    assert second.wait("freeze", tell=told.append, seconds=0.5).name == "train"
    assert [owner.name for owner in told] == ["train"]
    first.release()


def test_the_lock_of_a_dead_process_is_free(tmp_path):
    script = (
        "import sys; from pathlib import Path; from otto_web.servers.lock import ServersLock\n"
        f"lock = ServersLock(Path({str(tmp_path)!r})); lock.take('up')\n"
        "print('taken', flush=True)\n"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"taken\n"
    lock = ServersLock(tmp_path)
    assert lock.take("up") == Owner("up", holder.pid)
    holder.kill()
    holder.communicate()
    assert lock.take("up") is None
    lock.release()


def test_services_are_written_for_this_user_only(tmp_path):
    name = ProcessName.of(os.getpid())
    state.write(tmp_path, Services(redis_url="redis://:word@here:1"), [name])
    file = tmp_path / "services.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_services(tmp_path) == {
        "redis_url": "redis://:word@here:1",
        "processes": [{"pid": name.pid, "started_at": name.started_at}],
    }


def test_orphans_are_ended_and_strangers_are_not(tmp_path):
    orphan = subprocess.Popen(["sleep", "60"])
    stranger = subprocess.Popen(["sleep", "60"])
    names = [
        ProcessName.of(orphan.pid),
        ProcessName(stranger.pid, psutil.Process(stranger.pid).create_time() - 100),
    ]
    state.write(tmp_path, Services(), names)
    assert state.end_orphans(tmp_path) == 1
    assert orphan.wait(300) is not None
    assert stranger.poll() is None
    assert not (tmp_path / "services.json").exists()
    stranger.kill()
    stranger.wait()


@pytest.mark.checklist(413)
def test_a_taken_port_gives_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
