"""A Celery worker reports itself, hears that it should go, and ends in bounded time."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest
from django.conf import settings

from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from otto_web.programs import worker_words
from otto_web.servers import processes, valkey
from tests.otto_web.slow_tasks import sleep_task
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def start_worker(process_env):
    """Give a function that starts a worker of the short queue; all are ended with the test."""
    started = []

    def begin(**env):
        words = [*worker_words("short", processes=1, tasks=200), "-I", "tests.otto_web.slow_tasks"]
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", *words],
            env=process_env | {"OTTO_DRAIN_SECONDS": "3"} | env,
            cwd=settings.BASE_DIR,
            start_new_session=True,
        )
        started.append(process)
        until(ProcessBeat.objects.filter(pid=process.pid).exists)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def row(process):
    return ProcessBeat.objects.get(pid=process.pid)


def test_a_worker_tells_what_it_does(start_worker):
    worker = start_worker()
    assert (row(worker).kind, row(worker).state) == (ProcessKind.SHORT, ProcessState.IDLE)
    sleep_task.delay(2)
    until(lambda: row(worker).doing == "sleep_task")
    assert row(worker).state == ProcessState.BUSY
    until(lambda: row(worker).state == ProcessState.IDLE)


def test_a_worker_that_is_told_to_drain_ends_and_takes_its_row_away(start_worker):
    worker = start_worker()
    ProcessBeat.objects.update(drain=True)
    assert worker.wait(20) is not None
    assert not ProcessBeat.objects.exists()


def test_a_worker_finishes_a_short_task_before_it_ends(start_worker):
    worker = start_worker(OTTO_DRAIN_SECONDS="20")
    sleep_task.delay(2)
    until(lambda: row(worker).doing == "sleep_task")
    worker.terminate()
    until(lambda: row(worker).drain)
    began = time.monotonic()
    worker.wait(15)
    assert time.monotonic() - began < 10


def test_a_task_that_does_not_end_is_ended(start_worker):
    worker = start_worker()
    sleep_task.delay(600)
    until(lambda: row(worker).doing == "sleep_task")
    worker.terminate()
    worker.wait(15)


def test_the_children_of_a_killed_worker_die_with_it(start_worker):
    worker = start_worker()
    children = until(psutil.Process(worker.pid).children)
    worker.kill()
    worker.wait()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_worker_without_redis_still_reports_itself_and_still_goes(start_worker):
    nowhere = f"redis://127.0.0.1:{processes.free_port()}"
    worker = start_worker(REDIS_URL=nowhere, OTTO_DRAIN_SECONDS="60")
    ProcessBeat.objects.filter(pid=worker.pid).update(drain=True)
    assert worker.wait(15) is not None
    until(lambda: not ProcessBeat.objects.exists())


def test_a_worker_outlives_a_restart_of_redis(start_worker, tmp_path):
    server = valkey.Valkey(tmp_path / "redis", processes.free_port(), "a-word")
    log = tmp_path / "redis.log"
    first = processes.start(server.command(), log=log)
    worker = start_worker(REDIS_URL=server.url)
    first.kill()
    first.wait()
    second = processes.start(server.command(), log=log)
    valkey.wait_until_ready(server, seconds=10, log=log)
    with sleep_task.app.connection_for_write(f"{server.url}/0") as connection:
        sleep_task.apply_async((1,), connection=connection)
    until(lambda: row(worker).doing == "sleep_task")
    second.kill()
    second.wait()
