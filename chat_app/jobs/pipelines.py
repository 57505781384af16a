"""The worker's part of a pipeline: do what can be done now, come back for the rest.

Each step looks at what the row names already, so a step that is done again after a crash does
nothing twice. Training waits for the train worker, and the reaper's tick comes back for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from chat_app.jobs.pipeline_steps import STEPS, Wait
from chat_app.models import Pipeline, PipelineState, PipelineStep
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import CorpusError
from otto_web.lib import leases
from training_app.lm.config import TrainingError

Tell = Callable[[PipelineStep], None]


def advance(pipeline_id: UUID | str, *, tell: Tell = lambda step: None) -> bool:
    """Do what can be done now; True while something is left to wait for."""
    pipeline = _claim(pipeline_id)
    if pipeline is None:
        return Pipeline.objects.filter(pk=pipeline_id, state=PipelineState.RUNNING).exists()
    try:
        with leases.kept(partial(_renew, pipeline)):
            for step in pipeline.steps.exclude(state="done").order_by("number"):
                if not _do(pipeline, step, tell):
                    return pipeline.state == PipelineState.RUNNING
            _end(pipeline, PipelineState.DONE)
    finally:
        _owned(pipeline).update(lease_until=None)
    return False


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.OTTO_LEASE_SECONDS)


def _claim(pipeline_id: UUID | str) -> Pipeline | None:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    rows = Pipeline.objects.filter(free, pk=pipeline_id, state=PipelineState.RUNNING)
    if not rows.update(fence=F("fence") + 1, lease_until=_lease_end()):
        return None
    found = Pipeline.objects.select_related("dataset", "version", "run", "deployment", "chat")
    pipeline: Pipeline = found.get(pk=pipeline_id)
    return pipeline


def _owned(pipeline: Pipeline) -> Any:
    return Pipeline.objects.filter(pk=pipeline.pk, fence=pipeline.fence)


def _renew(pipeline: Pipeline) -> bool:
    return bool(_owned(pipeline).update(lease_until=_lease_end()))


def _end(pipeline: Pipeline, state: PipelineState) -> None:
    pipeline.state = state
    _owned(pipeline).update(state=state, finished_at=Now())


def _do(pipeline: Pipeline, step: PipelineStep, tell: Tell) -> bool:
    """Do one step; True when it is done and the next one may follow."""
    if step.started_at is None:
        _note(step, state="running", started_at=Now())
    try:
        note = STEPS[step.name](pipeline)
    except Wait as wait:
        _note(step, state="running", note=str(wait))
        tell(step)
        return False
    except (CorpusError, TrainingError, ServingError) as error:
        _note(step, state="failed", note=str(error), finished_at=Now())
        _end(pipeline, PipelineState.FAILED)
        tell(step)
        return False
    except Exception:
        _note(step, state="failed", note="An unexpected fault; see the log.", finished_at=Now())
        _end(pipeline, PipelineState.FAILED)
        raise
    _note(step, state="done", note=note, finished_at=Now())
    tell(step)
    return True


def _note(step: PipelineStep, **changes: Any) -> None:
    PipelineStep.objects.filter(pk=step.pk).update(**changes)
    step.refresh_from_db()
