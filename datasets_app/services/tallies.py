"""The tally of a large dataset follows each change of its rows, in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F

from datasets_app.models import Conversation, Dataset, Tally
from datasets_app.selectors.estimates import MOST_EXACT

Key = tuple[str, str | None, tuple[str, ...]]
"""What the rows of a group have in common: status, decision and reasons."""


def key_of(row: Conversation) -> Key:
    return row.status, row.decision, tuple(row.reasons)


def follow(held: Dataset) -> None:
    """Let a tally that missed nothing be that of the change that begins, which tells it all."""
    Tally.objects.filter(dataset=held.pk, at=held.changes - 1).update(at=held.changes)


def tell_tally(dataset_id: UUID, was: Iterable[Key], now: Iterable[Key]) -> None:
    """Tell a tally that follows what rows were and what they are; a `Counter` tells of many."""
    difference = Counter(now)
    difference.subtract(Counter(was))
    shift_tally(dataset_id, difference)


def shift_tally(dataset_id: UUID, difference: Mapping[Key, int]) -> None:
    """Tell a tally that follows by how many rows each group grows."""
    following = Tally.objects.filter(pk=dataset_id, at=F("dataset__changes"))
    tally = following.first() if any(difference.values()) else None
    if tally is None:
        return
    counts = Counter({(status, by, tuple(why)): n for status, by, why, n in tally.groups})
    for key, more in difference.items():
        counts[key] += more
    tally.groups = [[*key, n] for key, n in counts.items() if n]
    tally.save(update_fields=["groups"])


def count_behind() -> None:
    """Count the rows of large datasets anew whose tally missed a change, or that have none."""
    large = Dataset.objects.filter(deleted_at=None, next_position__gt=MOST_EXACT + 1)
    for dataset in large.exclude(tally__at=F("changes")):
        _count_anew(dataset)


def _count_anew(dataset: Dataset) -> None:
    """Count in one statement, which sees rows and number of one moment; hold up no change."""
    rows = dataset.conversations.order_by()
    found = rows.values_list("dataset__changes", "status", "decision", "reasons")
    told = list(found.annotate(n=Count("pk")))
    at, groups = max((one[0] for one in told), default=0), [list(one[1:]) for one in told]
    with transaction.atomic():
        mine = Tally.objects.filter(dataset=dataset).select_for_update(skip_locked=True)
        held = mine.first()
        if held is None:  # or somebody writes it at this moment
            new = Tally(dataset=dataset, at=at, groups=groups)
            Tally.objects.bulk_create([new], ignore_conflicts=True)
        elif held.at < at:
            held.at, held.groups = at, groups
            held.save(update_fields=["at", "groups"])
