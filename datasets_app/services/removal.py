"""Removes conversations for good, slice by slice; what a version holds stays."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from datasets_app.models import Conversation, VersionRow
from datasets_app.services.changes import begin_change

SLICE = 2_000


def in_no_version(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return rows.filter(~Exists(VersionRow.objects.filter(conversation=OuterRef("pk"))))


@transaction.atomic(durable=True)
def remove_slice(dataset_id: UUID, rows: QuerySet[Conversation]) -> int:
    """Remove some of a dataset's rows that no version holds; 0 when none is left."""
    return remove_some(dataset_id, rows)


def remove_some(dataset_id: UUID, rows: QuerySet[Conversation]) -> int:
    """Remove as `remove_slice` does, inside the caller's transaction."""
    begin_change(dataset_id)
    ids = list(in_no_version(rows.filter(dataset=dataset_id)).values_list("pk", flat=True)[:SLICE])
    if ids:
        Conversation.objects.filter(pk__in=ids).only("pk").delete()  # nothing else is fetched
    return len(ids)
