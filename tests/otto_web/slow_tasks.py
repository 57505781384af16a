"""Tasks that a test's own worker takes besides the real ones."""

from __future__ import annotations

import signal
from pathlib import Path

from celery import shared_task

from otto_web.lib.failpoints import failpoint


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
