"""The worlds of the rooms, for tests that stop and kill what works in them."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from django.conf import settings

from otto_web.programs import worker_words
from tests.chat_app.conftest import build_of_toy, deployment, toy_folder, toy_model  # noqa: F401
from tests.datasets_app.jobs.conftest import upload  # noqa: F401


@pytest.fixture
def start(process_env):
    """Give a function that starts a process which sees the test's rows; all end with the test."""
    started = []

    def begin(*words, env=None):
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=settings.BASE_DIR,
            env=process_env | (env or {}),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@pytest.fixture
def worker(start):
    """Give a function that starts a worker of one queue."""

    def begin(queue, **env):
        words = worker_words(queue, processes=1, tasks=200)
        return start("-m", "celery", *words, env={"OTTO_DRAIN_SECONDS": "3"} | env)

    return begin
