"""A hint is only a notification: too many start nothing twice, lost ones lose nothing."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings as live_settings
from redis import Redis

from otto_web.celery import app
from otto_web.lib.work.states import State
from otto_web.servers.wiring import use_broker, use_redis
from tests.training_app.conftest import ROOT, make_version, toy_order
from tests.waiting import until
from training_app.models import Run
from training_app.services.runs import queue_run

pytestmark = pytest.mark.slow
WORKERS, HINTS = 3, 100


@pytest.fixture
def workers(process_env):
    command = [sys.executable, "-m", "celery", "-A", "otto_web", "worker", "-Q", "train", "-c", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["--pool", "prefork", "--without-gossip", "--without-mingle"]
    started = [
        subprocess.Popen(
            [*command, *options, "-n", f"w{n}@here"], cwd=ROOT, env=process_env, **quiet
        )
        for n in range(WORKERS)
    ]
    yield started
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.chaos
def test_a_hundred_hints_to_several_workers_start_one_attempt(workers, redis_server):
    run = queue_run(toy_order(make_version()), created_by=None)
    for _ in range(HINTS):
        app.tasks["training.supervise_run"].delay(str(run.pk))
    until(lambda: Run.objects.get(pk=run.pk).is_over, 150)
    with Redis.from_url(live_settings.CELERY_BROKER_URL) as broker:
        until(lambda: broker.llen("otto:train") == 0)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    assert (run.attempts, run.attempt_rows.count()) == (1, 1)
    assert run.events.filter(kind="claimed").count() == 1


@pytest.fixture
def broker_at():
    """Point the broker somewhere else for one test."""
    before = app.conf.broker_url
    yield use_broker
    use_broker(before)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def silent_server():
    """A server that accepts and never answers, as a Redis does that hangs."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        server.setblocking(False)
        yield server


def callers(server):
    """Return how many connections were made to the server."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_submitting_takes_less_than_three_seconds_while_redis_hangs(
    silent_server, redis_server, transactional_db
):
    version = make_version()
    use_redis(f"redis://127.0.0.1:{silent_server.getsockname()[1]}")
    try:
        run = queue_run(toy_order(version), created_by=None)
    finally:
        use_redis(redis_server)
    waits = live_settings.CELERY_BROKER_TRANSPORT_OPTIONS
    tries = callers(silent_server)
    pauses = sum(waits["interval_step"] * number for number in range(tries - 1))
    assert 0 < tries * waits["socket_timeout"] + pauses < 3, tries
    assert Run.objects.get(pk=run.pk).state == State.QUEUED


def test_submitting_takes_less_than_three_seconds_while_redis_is_down(
    broker_at, redis_server, transactional_db
):
    broker_at(f"redis://127.0.0.1:{closed_port()}/0")
    version = make_version()
    began = time.monotonic()
    run = queue_run(toy_order(version), created_by=None)
    assert time.monotonic() - began < 3
    assert Run.objects.get(pk=run.pk).state == State.QUEUED
