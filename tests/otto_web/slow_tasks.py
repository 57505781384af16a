"""Tasks that a test's own worker takes besides the real ones."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from celery import shared_task, signals
from django.db import connection

from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.perform import perform
from training_app.models import Export


@shared_task
def held_task(mark: str) -> None:
    """Work until the test says otherwise, then leave a mark."""
    failpoint("tests.held_task")
    Path(mark).touch()


@shared_task
def endless_task() -> None:
    """Work for ever."""
    while True:
        signal.pause()


@shared_task
def endless_export(pk: str) -> None:
    """Build an export for ever, in the middle of a statement."""
    perform(Export, pk, _sleep, refusals=())


def _sleep(row, lease):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")


@signals.worker_ready.connect(weak=False)
def _spin_if_told(sender, **_):
    """Leave an entry in the loop's epoll set that can be taken out no more, if a test wants it."""
    if os.environ.get("TEST_WORKER_SPINS"):
        reader, writer = os.pipe()
        copy = os.dup(reader)  # keeps the pipe open behind the entry
        sender.hub.poller._epoll.register(reader, select.EPOLLIN)
        os.set_inheritable(copy, True)
        os.close(reader)
        os.close(writer)
