"""Owning an export while it is made: a claim raises the fence, a lease is kept, both by updates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from chat_app.models import ServingExport
from training_app.models import Export, JobState

_FULL_DISK_SECONDS = 60.0
Row = TypeVar("Row", ServingExport, Export)


def claim(rows: type[Row], export_id: int | str) -> Row | None:
    """Take an export that waits or was left by its worker; None when another has it."""
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    found = rows._default_manager.filter(pk=export_id)  # noqa: SLF001
    taken = found.filter(free).update(
        state=JobState.RUNNING, fence=F("fence") + 1, lease_until=_lease_end()
    )
    return found.select_related("model__run__version").get() if taken else None


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.OTTO_LEASE_SECONDS)


def renew(export: Row) -> bool:
    """Keep the export for another lease; False when it is no longer this worker's."""
    return owned(export).update(lease_until=_lease_end()) == 1


def postpone(export: Row) -> None:
    """Leave an export that found the disk full; it is taken again after a while."""
    wait = Now() + timedelta(seconds=_FULL_DISK_SECONDS)
    owned(export).update(
        lease_until=wait, reason="The disk is full; this goes on by itself when there is room."
    )


def owned(export: Row) -> QuerySet[Row]:
    """Return the row as long as this claim holds it."""
    rows = type(export)._default_manager  # noqa: SLF001
    return rows.filter(pk=export.pk, fence=export.fence)
