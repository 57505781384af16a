"""What the pages and the trainer read of frozen versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When

from datasets_app.corpus.conversation import Conversation, from_json
from datasets_app.corpus.split import SPLITS
from datasets_app.models import ConversationRevision, Dataset, Version, VersionRow
from datasets_app.selectors.counted import counted
from otto_web.lib.work.states import State

READ_ROWS = 2_000
MOST_COMPARABLE = 200
LAST_WORDS = "version__counts__last_words"  # how many rows of the version end with the user


def iter_conversations(version_id: UUID, split: str | None = None) -> Iterator[Conversation]:
    """Yield a version's conversations in its order, as they were when it was frozen.

    A last word of the user, which nobody answers, is left out; older versions have it. Memory stays
    flat: rows come through a server-side cursor. `split` is train, validation or test; without it
    all splits are read.
    """
    for row in version_rows(version_id, split).iterator(chunk_size=READ_ROWS):
        yield _learnt(row)


def iter_rows(version_id: UUID, split: str) -> Iterator[tuple[int, Conversation]]:
    """Yield the conversations of a split as `iter_conversations` does, with their rows' numbers."""
    for row in version_rows(version_id, split).iterator(chunk_size=READ_ROWS):
        yield row["conversation_id"], _learnt(row)


def _learnt(row: dict[str, Any]) -> Conversation:
    conversation = from_json(row["turns"])
    return conversation.without_last_words() if row[LAST_WORDS] else conversation


def version_rows(version_id: UUID, split: str | None) -> QuerySet[VersionRow, dict[str, Any]]:
    """Return the manifest's lines with the turns as they were frozen."""
    rows = VersionRow.objects.filter(version_id=version_id)
    if split is not None:
        rows = rows.filter(split=split)
    replaced = ConversationRevision.objects.filter(
        conversation=OuterRef("conversation_id"), revision=OuterRef("revision")
    )
    is_present = Q(conversation__revision=F("revision"))
    turns = Case(
        When(is_present, then=F("conversation__turns")), default=Subquery(replaced.values("turns"))
    )
    fields = ("position", "split", "row_hash", "conversation_id")
    lines: QuerySet[VersionRow, dict[str, Any]]
    lines = rows.order_by("position").values(*fields, LAST_WORDS, turns=turns)
    return lines


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in a list, with how many runs used it."""

    version: Version
    train: int
    validation: int
    test: int


def versions_of(dataset: Dataset) -> list[VersionLine]:
    """Return a dataset's versions, newest first."""
    found = dataset.versions.select_related("created_by").order_by("-number")
    return [VersionLine(one, *(rows_of_split(one, split) for split in SPLITS)) for one in found]


def trainable_versions(user: User) -> QuerySet[Version]:
    """Return the versions that a run may name, newest first."""
    visible = Version.objects.visible_to(user).filter(
        state=State.SUCCEEDED, dataset__deleted_at=None
    )
    ordered: QuerySet[Version] = visible.select_related("dataset").order_by("-created_at")
    return ordered


def comparable_with(version: Version, user: User) -> list[Version]:
    """Return the frozen versions to compare one with: those of its dataset first, newest first."""
    found = trainable_versions(user).exclude(pk=version.pk)
    is_own = Case(When(dataset=version.dataset_id, then=0), default=1)
    return list(found.order_by(is_own, "-created_at")[:MOST_COMPARABLE])


def rows_of_split(version: Version, split: str) -> int:
    return int(version.counts.get("splits", {}).get(split, 0))


def changed_since(version: Version) -> int:
    """Return how many of the dataset's rows are new or edited since the version was frozen."""
    in_version = Q(version_rows__version=version, version_rows__row_hash=F("row_hash"))
    rows = version.dataset.conversations
    what = f"changed since {version.pk}"
    return counted(version.dataset, what, lambda: rows.count() - rows.filter(in_version).count())
