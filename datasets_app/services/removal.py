"""Removes for good, slice by slice: conversations that no version holds, and texts of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from datasets_app.models import (
    Chunk,
    ChunkSet,
    Conversation,
    Dataset,
    Document,
    GenerationItem,
    PairGeneration,
    Removal,
    Score,
    ScoreLabel,
    Scoring,
    Upload,
    VersionRow,
)
from datasets_app.services.documents import recount
from datasets_app.services.tallies import Key, tell_tally
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel
from otto_web.lib.work.states import UNDER_WAY

SLICE = 2_000
SOME = 100  # documents at once, each with its whole text
STOPPED = "What this was made of has been deleted, so it was stopped."


def order_removal(
    *, dataset: Dataset | None = None, upload: Upload | None = None, by: User | None
) -> None:
    """Have the rows removed of what was deleted in the caller's transaction."""
    rows = Conversation.objects.all()
    theirs = rows.filter(dataset=dataset) if dataset else rows.filter(source_file__upload=upload)
    order = Removal.objects.create(
        dataset=dataset, upload=upload, total=theirs.count(), created_by=by
    )
    _stop_work(dataset, upload)
    hint(Removal.job, order.pk)


def _stop_work(dataset: Dataset | None, upload: Upload | None) -> None:
    """End what would still read the deleted texts, or send them to a provider."""
    if dataset is not None:
        works: list[QuerySet[Any]] = [
            ChunkSet.objects.filter(dataset=dataset),
            PairGeneration.objects.filter(Q(dataset=dataset) | Q(chunk_set__dataset=dataset)),
            Scoring.objects.filter(dataset=dataset),
        ]
    else:
        sets = Document.objects.filter(source_file__upload=upload).values("chunk_set")
        works = [
            ChunkSet.objects.filter(pk__in=sets),
            PairGeneration.objects.filter(chunk_set__in=sets),
        ]
    for work in works:
        cancel(work.filter(state__in=UNDER_WAY), "deleted", message=STOPPED)


def remove_texts(*, dataset: UUID | None, upload: UUID | None) -> int:
    """Remove some of what was made of documents; return how much, 0 when nothing is left.

    What hangs on something goes before it, so that no step takes more than a slice with it. Rows
    that were made of them are no part of this: they lose only the way back to their place.
    """
    parts = _parts_of_upload(upload) if dataset is None else _parts_of_dataset(dataset)
    for rows in parts:
        most = min(SOME, SLICE) if rows.model is Document else SLICE
        ids = list(rows.values_list("pk", flat=True)[:most])
        if ids:
            found = rows.model._default_manager.filter(pk__in=ids)  # noqa: SLF001
            sets = set(found.values_list("chunk_set", flat=True)) if rows.model is Document else ()
            found.only("pk").delete()  # nothing else is fetched
            recount(sets)
            return len(ids)
    return 0


def _parts_of_upload(upload: UUID | None) -> Iterator[QuerySet[Any]]:
    yield GenerationItem.objects.filter(chunk__document__source_file__upload=upload)
    yield Chunk.objects.filter(document__source_file__upload=upload)
    yield Document.objects.filter(source_file__upload=upload)


def _parts_of_dataset(dataset: UUID) -> Iterator[QuerySet[Any]]:
    yield GenerationItem.objects.filter(generation__dataset=dataset)
    yield GenerationItem.objects.filter(chunk__document__chunk_set__dataset=dataset)
    yield Chunk.objects.filter(document__chunk_set__dataset=dataset)
    yield Document.objects.filter(chunk_set__dataset=dataset)
    yield Score.objects.filter(scoring__dataset=dataset)
    yield ScoreLabel.objects.filter(scoring__dataset=dataset)
    yield PairGeneration.objects.filter(dataset=dataset)
    yield ChunkSet.objects.filter(dataset=dataset)
    yield Scoring.objects.filter(dataset=dataset)


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
