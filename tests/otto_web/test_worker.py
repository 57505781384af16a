"""A Celery worker reports itself, hears that it should go, and ends in bounded time."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
from django.conf import settings
from django.db import connection

from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from otto_web.lib.work.states import State
from otto_web.programs import worker_words
from otto_web.servers import processes, valkey
from otto_web.worker_watch import LOOKS, Watch
from tests.chat_app.makers import make_model
from tests.otto_web.slow_tasks import endless_export, endless_task, held_task
from tests.waiting import until
from training_app.models import Export

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


@pytest.fixture
def held(failpoint_at, process_env):
    """Let the workers' held task begin and not end until `release`."""
    point = failpoint_at("tests.held_task", "hold")
    process_env.update(point.env)
    return point


def row(process):
    return ProcessBeat.objects.get(pid=process.pid)


def test_a_worker_tells_what_it_does(held, start_worker, tmp_path):
    worker = start_worker()
    assert (row(worker).kind, row(worker).state) == (ProcessKind.SHORT, ProcessState.IDLE)
    held_task.delay(str(tmp_path / "done"))
    until(lambda: row(worker).doing == "held_task")
    assert row(worker).state == ProcessState.BUSY
    held.release()
    until(lambda: row(worker).state == ProcessState.IDLE)


def test_a_worker_that_is_told_to_drain_ends_and_takes_its_row_away(start_worker):
    worker = start_worker()
    ProcessBeat.objects.update(drain=True)
    assert worker.wait(300) is not None
    assert not ProcessBeat.objects.exists()


def test_a_worker_finishes_a_short_task_before_it_ends(held, start_worker, tmp_path):
    worker = start_worker(OTTO_DRAIN_SECONDS="300")
    held_task.delay(str(tmp_path / "done"))
    until(lambda: row(worker).doing == "held_task")
    worker.terminate()
    until(lambda: row(worker).drain)
    held.release()
    worker.wait(300)
    assert (tmp_path / "done").exists()


def test_a_task_that_does_not_end_is_ended(start_worker):
    worker = start_worker()
    endless_task.delay()
    until(lambda: row(worker).doing == "endless_task")
    worker.terminate()
    worker.wait(300)


def test_a_worker_that_is_told_to_go_gives_its_work_back_and_no_try_of_it_is_lost(start_worker):
    export = Export.objects.create(model=make_model(), format="onnx")
    worker = start_worker()
    endless_export.delay(str(export.pk))
    until(is_asleep)
    worker.terminate()
    worker.wait(300)
    until(Export.objects.filter(pk=export.pk, state=State.QUEUED, attempts=0).exists, 30)


def is_asleep():
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")
        return cursor.rowcount


def test_the_children_of_a_killed_worker_die_with_it(start_worker):
    worker = start_worker()
    children = until(psutil.Process(worker.pid).children)
    worker.kill()
    worker.wait()
    _, alive = psutil.wait_procs(children, timeout=300)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_worker_without_redis_still_reports_itself_and_still_goes(start_worker):
    nowhere = f"redis://127.0.0.1:{processes.free_port()}"
    worker = start_worker(REDIS_URL=nowhere, OTTO_DRAIN_SECONDS="300")
    ProcessBeat.objects.filter(pid=worker.pid).update(drain=True)
    assert worker.wait(300) is not None
    until(lambda: not ProcessBeat.objects.exists())


def test_a_worker_outlives_a_restart_of_redis(held, start_worker, tmp_path):
    server = valkey.Valkey(tmp_path / "redis", processes.free_port(), "a-word")
    log = tmp_path / "redis.log"
    first = processes.start(server.command(), log=log)
    worker = start_worker(REDIS_URL=server.url)
    first.kill()
    first.wait()
    second = processes.start(server.command(), log=log)
    valkey.wait_until_ready(server, seconds=60, log=log)
    with held_task.app.connection_for_write(f"{server.url}/0") as connection:
        held_task.apply_async((str(tmp_path / "done"),), connection=connection)
    until(lambda: row(worker).doing == "held_task")
    second.kill()
    second.wait()


def test_a_child_that_follows_a_killed_one_holds_none_of_its_workers_connections(
    held, start_worker, tmp_path
):
    worker = start_worker()
    held_task.delay(str(tmp_path / "done"))
    killed = psutil.Process(held.reached())
    killed.kill()
    main = psutil.Process(worker.pid)
    (child,) = until(lambda: [one for one in main.children() if one.pid != killed.pid])
    until(lambda: psutil.STATUS_ZOMBIE not in {one.status() for one in main.children()})
    assert lines_of(main)
    until(lambda: not lines_of(main) & lines_of(child))


def lines_of(process):
    """Return the connections of a process to other machines and servers, by the kernel's names."""
    return {line.laddr for line in process.net_connections("inet") if line.raddr}


def test_a_worker_that_spins_ends_so_that_it_is_started_again(start_worker):
    worker = start_worker(TEST_WORKER_SPINS="1")
    assert worker.wait(120) is not None
    assert not ProcessBeat.objects.exists()


def test_a_worker_that_rests_or_is_busy_for_a_moment_goes_on():
    watch = Watch(leave=pytest.fail)
    for turns, children in [(5, 1), (9000, 1), (9000, 0), (20, 1), (9000, 1), (5, 0), (5, 2)]:
        assert not watch.is_hopeless(turns, children=children)


@pytest.mark.parametrize(("turns", "children"), [(9000, 1), (5, 0)])
def test_a_worker_that_spins_or_has_no_children_for_long_gives_up(turns, children):
    watch = Watch(leave=pytest.fail)
    verdicts = [watch.is_hopeless(turns, children=children) for _ in range(LOOKS)]
    assert verdicts == [False] * (LOOKS - 1) + [True]
