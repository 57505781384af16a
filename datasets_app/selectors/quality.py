"""How good a set of rows is, and how they are made up: counted in the database, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from datasets_app.corpus.quality import QualityCounts
from datasets_app.corpus.rules.registry import counts_against
from datasets_app.models import Conversation, Decision, Status


@dataclass(frozen=True, slots=True)
class Group:
    """Rows alike in status, decision and reasons, and how many they are."""

    status: str
    decision: str | None
    reasons: tuple[str, ...]
    count: int

    @property
    def is_valid(self) -> bool:
        """A rule that sets a row aside makes it invalid; a person's decision to keep, valid."""
        return self.decision == Decision.KEEP or not any(map(counts_against, self.reasons))


def groups_of(rows: QuerySet[Conversation], most: int | None = None) -> list[Group]:
    """Return the rows by status, decision and reasons; the sets of reasons are few.

    With `most`, no more than so many of the rows are looked at.
    """
    if most is not None:
        rows = Conversation.objects.filter(pk__in=rows.order_by().values("pk")[:most])
    found = rows.order_by().values_list("status", "decision", "reasons").annotate(n=Count("pk"))
    return [Group(status, decision, tuple(why), n) for status, decision, why, n in found]


def tally_of(rows: QuerySet[Conversation]) -> QualityCounts:
    """Return total, valid and rows per rule; one query."""
    return tally(groups_of(rows))


def tally(groups: Iterable[Group]) -> QualityCounts:
    """Return the counts over rows of which a run sees those that are kept."""
    counted = list(groups)
    invalid = [group for group in counted if not group.is_valid]
    total = sum(group.count for group in counted)
    by_rule = {rule: n for rule, n in rows_by_reason(invalid).items() if counts_against(rule)}
    valid = total - sum(group.count for group in invalid)
    return QualityCounts(total, valid, by_rule, trained=rows_by_status(counted)[Status.KEPT])


def copies_in(rows: QuerySet[Conversation]) -> int:
    """Return how many rows say the same as another of them, the first of each left out."""
    return rows.count() - rows.order_by().values("exact_key").distinct().count()


def rows_by_reason(groups: Iterable[Group]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for group in groups:
        counts.update(dict.fromkeys(group.reasons, group.count))
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))


def rows_by_status(groups: Iterable[Group]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for group in groups:
        counts[group.status] += group.count
    return counts
