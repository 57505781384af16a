"""The worker's part of a pipeline: do what can be done now, come back for the rest.

Each step looks at what the row names already, so a step that is done again after a crash does
nothing twice. Training waits for the train worker, and the reaper's tick comes back for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import CorpusError
from otto_web.lib.disk import is_disk_full
from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.work.claims import LostLease, finish, give_back, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import UNEXPECTED, perform
from otto_web.lib.work.states import UNDER_WAY, State
from otto_web.loop.jobs.pipeline_steps import STEPS
from otto_web.loop.jobs.stepping import Wait
from otto_web.loop.models import Pipeline, PipelineStep
from training_app.lm.config import TrainingError

Tell = Callable[[PipelineStep], None]
REFUSALS = (CorpusError, TrainingError, ServingError)


def advance(pipeline_id: UUID | str, *, tell: Tell = lambda step: None) -> bool:
    """Do what can be done now; True while something is left to wait for."""
    perform(Pipeline, pipeline_id, partial(_advance, tell=tell), refusals=REFUSALS)
    return Pipeline.objects.filter(pk=pipeline_id, state__in=UNDER_WAY).exists()


def _advance(pipeline: Pipeline, lease: Lease, *, tell: Tell) -> None:
    for step in pipeline.steps.exclude(state=State.SUCCEEDED).order_by("number"):
        if step.started_at is None:
            _note(step, state=State.RUNNING, started_at=Now())
        try:
            note = STEPS[step.name](pipeline)
        except Wait as wait:
            _note(step, state=State.RUNNING, note=str(wait))
            tell(step)
            give_back(pipeline, attempts=0)
            return
        except (LostLease, *DATABASE_AWAY):
            raise
        except Exception as error:
            if is_disk_full(error):
                raise
            sentence = str(error) if isinstance(error, REFUSALS) else UNEXPECTED
            _note(step, state=State.FAILED, note=sentence, finished_at=Now())
            tell(step)
            raise
        _note(step, state=State.SUCCEEDED, note=note, finished_at=Now())
        renew(pipeline, attempts=0)
        tell(step)
    finish(pipeline)


def _note(step: PipelineStep, **changes: Any) -> None:
    PipelineStep.objects.filter(pk=step.pk).update(**changes)
    step.refresh_from_db()
