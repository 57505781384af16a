"""A pipeline in the foreground of a command, with or without the installation's workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from chat_app.jobs.waiting import engine_here
from otto_web.loop.jobs.pipelines import Tell, advance
from otto_web.loop.models import Pipeline, PipelineStep
from training_app.jobs.recovery import recover
from training_app.jobs.supervise import supervise_run

LOOK_SECONDS = 0.5
TELL_SECONDS = 5.0


def run_pipeline(pipeline: Pipeline, *, tell: Tell, has_workers: bool) -> Pipeline:
    """Stay until the pipeline is over; without workers this process does their part."""
    if has_workers:
        while advance(pipeline.pk, tell=tell):
            time.sleep(LOOK_SECONDS)
    else:
        with engine_here():
            while advance(pipeline.pk, tell=tell):
                _train_here(pipeline, tell)
    pipeline.refresh_from_db()
    return pipeline


def _train_here(pipeline: Pipeline, tell: Tell) -> None:
    """Be the train worker for the run that the pipeline waits for."""
    step = pipeline.steps.filter(name="train", state="running").first()
    if step is None:
        time.sleep(LOOK_SECONDS)
        return
    recover()
    with _told(step, tell):
        has_trained = supervise_run()
    if not has_trained:  # it waits, for room on the disk or for a better moment
        time.sleep(LOOK_SECONDS)


@contextmanager
def _told(step: PipelineStep, tell: Tell) -> Iterator[None]:
    """Tell how far the run is, again and again, while the block trains."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(TELL_SECONDS):
            run = Pipeline.objects.select_related("run").get(pk=step.pipeline_id).run
            if run is not None and run.total_steps:
                step.note = f"{run.phase}, step {run.last_step:,} of {run.total_steps:,}"
                tell(step)
        connection.close()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
