"""A pipeline in the foreground of a command, with or without the installation's workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from chat_app.jobs.waiting import engine_here
from otto_web.lib.work.states import State
from otto_web.loop.jobs.pipeline_steps import how_far
from otto_web.loop.jobs.pipelines import Tell, advance
from otto_web.loop.models import Pipeline, PipelineStep
from training_app.jobs.bases import prepare_base
from training_app.jobs.recovery import recover
from training_app.jobs.supervise import supervise_run
from training_app.lm.presets import PRESETS
from training_app.models.base import Base
from training_app.services.bases import order_missing

LOOK_SECONDS = 0.5
TELL_SECONDS = 5.0


def run_pipeline(pipeline: Pipeline, *, tell: Tell, has_workers: bool) -> Pipeline:
    """Stay until the pipeline is over; without workers this process does their part.

    That part begins as a start of OTTO does: with base models that never came.
    """
    if has_workers:
        while advance(pipeline.pk, tell=tell):
            time.sleep(LOOK_SECONDS)
    else:
        if settings.OTTO_BASES and PRESETS[pipeline.options["preset"]].is_started:
            order_missing()
        with engine_here():
            while advance(pipeline.pk, tell=tell):
                _work_here(pipeline, tell)
    pipeline.refresh_from_db()
    return pipeline


def _work_here(pipeline: Pipeline, tell: Tell) -> None:
    """Be the worker for what the pipeline waits for: the base models, or its run."""
    step = pipeline.steps.filter(state=State.RUNNING).first()
    work = _WORK.get(step.name) if step else None
    if step is None or work is None:
        time.sleep(LOOK_SECONDS)
        return
    with _told(step, tell):
        has_worked = work()
    if not has_worked:  # it waits, for room on the disk or for a better moment
        time.sleep(LOOK_SECONDS)


def _prepare_bases() -> bool:
    coming = Base.objects.on_the_way().order_by("created_at").values_list("pk", flat=True)
    done = [prepare_base(base) for base in list(coming)]  # all: one writes, the other finds
    return any(done)


def _train() -> bool:
    recover()
    return bool(supervise_run())


_WORK: dict[str, Callable[[], bool]] = {
    "base": _prepare_bases,
    "know": _prepare_bases,
    "train": _train,
}


@contextmanager
def _told(step: PipelineStep, tell: Tell) -> Iterator[None]:
    """Tell how far the work is, again and again, while the block does it."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(TELL_SECONDS):
            if note := how_far(Pipeline.objects.select_related("run").get(pk=step.pipeline_id)):
                step.note = note
                tell(step)
        connection.close()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
