"""Celery doors of this app: a message wakes a worker, the rows say what is to be done."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_process_init

from training_app.lm.config import TrainingError


@shared_task(throws=(TrainingError,))
def supervise_run_task(run_id: str) -> None:
    """Take the best queued run; which one was rung for does not matter."""
    from training_app.jobs import supervise  # keeps a job's imports out of the web process

    supervise.supervise_run()


@worker_process_init.connect
def look_for_dead_attempts(**_: object) -> None:
    """Give back at once what a killed worker of this host held."""
    from training_app.jobs import recovery  # keeps a job's imports out of the web process

    recovery.start_recovery()
