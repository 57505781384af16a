"""Tasks that a test's own worker takes besides the real ones."""

from __future__ import annotations

import time

from celery import shared_task


@shared_task
def sleep_task(seconds: float) -> None:
    time.sleep(seconds)
