"""Removes conversations for good, slice by slice; what a version holds stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from datasets_app.models import Conversation, Dataset, Removal, Upload, VersionRow
from datasets_app.services.tallies import Key, tell_tally
from otto_web.lib.hints import hint

SLICE = 2_000


def order_removal(
    *, dataset: Dataset | None = None, upload: Upload | None = None, by: User | None
) -> None:
    """Have the rows removed of what was deleted in the caller's transaction."""
    rows = Conversation.objects.all()
    theirs = rows.filter(dataset=dataset) if dataset else rows.filter(source_file__upload=upload)
    order = Removal.objects.create(
        dataset=dataset, upload=upload, total=theirs.count(), created_by=by
    )
    hint(Removal.job, order.pk)


def next_slice(rows: QuerySet[Conversation], *, after: int) -> dict[int, int]:
    """Return the next rows of one dataset behind a position: ids, and their positions."""
    behind = rows.filter(position__gt=after).order_by("position")
    return dict(behind.values_list("pk", "position")[:SLICE])


def remove_or_keep(ids: list[int], *, spared: Collection[int] = (), **kept: Any) -> None:
    """Remove those of the conversations that no version holds or are spared; change the others.

    Called inside a transaction that holds the dataset, with some thousand ids at most. A version
    that takes one of them at this moment makes it an `IntegrityError`, for either.
    """
    held = VersionRow.objects.filter(conversation__in=ids)
    staying = set(held.values_list("conversation", flat=True).distinct())
    staying.update(pk for pk in ids if pk in spared)
    going = [pk for pk in ids if pk not in staying]
    was, dataset = _known(ids if kept else going)
    Conversation.objects.filter(pk__in=going).only("pk").delete()  # nothing else is fetched
    if kept and staying:
        Conversation.objects.filter(pk__in=staying).update(**kept)
    if dataset is not None:
        tell_tally(dataset, was, _known(staying)[0] if kept else ())


def _known(ids: Collection[int]) -> tuple[Counter[Key], UUID | None]:
    """Return what rows of one dataset are, and the dataset."""
    found = Conversation.objects.filter(pk__in=ids)
    rows = list(found.values_list("dataset", "status", "decision", "reasons"))
    return Counter((one, by, tuple(why)) for _, one, by, why in rows), rows[0][0] if rows else None
