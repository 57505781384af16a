"""What the reaper cleans up among the shared rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from otto_web.lib.models import ProcessBeat

FORGET_AFTER_BEATS = 60


def forget_dead_processes(now: datetime) -> None:
    """Delete the rows of processes that have been silent for long."""
    silence = timedelta(seconds=FORGET_AFTER_BEATS * settings.OTTO_PROCESS_BEAT_SECONDS)
    ProcessBeat.objects.filter(seen_at__lt=now - silence).delete()


SWEEPS = (forget_dead_processes,)
