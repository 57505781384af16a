"""What the reaper cleans up for this app."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from chat_app.models import Pipeline, PipelineState, ServingExport
from chat_app.services import generations
from chat_app.services.portable import FORMAT
from otto_web.lib.hints import hint
from training_app.models import Export, JobState


def end_left_answers(now: datetime) -> None:
    """Mark answers whose engine is gone, and end queued ones that nobody wants."""
    generations.interrupt_expired()
    generations.settle_stopped_in_queue()


def hint_exports(now: datetime) -> None:
    """Wake a worker for proofs that wait, or whose worker is gone."""
    before = now - timedelta(seconds=settings.OTTO_HINT_SECONDS)
    late = Q(state=JobState.QUEUED, created_at__lt=before)
    left = Q(state=JobState.RUNNING, lease_until__lt=now)
    for export in ServingExport.objects.filter(late | left):
        hint("chat.prove_serving_export", export.pk)
    for portable in Export.objects.filter(late | left, format=FORMAT):
        hint("chat.export_portable", portable.pk)


def move_pipelines(now: datetime) -> None:
    """Wake a worker for each one-click loop that nobody is at."""
    idle = Q(lease_until=None) | Q(lease_until__lt=now)
    for pipeline in Pipeline.objects.filter(idle, state=PipelineState.RUNNING):
        hint("chat.advance_pipeline", pipeline.pk)


SWEEPS = (end_left_answers, hint_exports, move_pipelines)
