"""Rows that earlier readings of a file gave: how many they are, and what people did to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from datasets_app.models import Conversation, OpinionRow, RowTag, SourceFile, VersionRow
from datasets_app.selectors.origin_keys import current_rows


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows, how many of them versions hold, and how many carry people's work."""

    rows: int = 0
    held: int = 0
    decided: int = 0
    edited: int = 0
    tagged: int = 0
    judged: int = 0

    @property
    def has_work(self) -> bool:
        return bool(self.decided or self.edited or self.tagged or self.judged)

    @property
    def going(self) -> int:
        """Return how many no version holds."""
        return self.rows - self.held

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def plus(self, other: Tally) -> Tally:
        theirs = other.as_json()
        return Tally(**{name: value + theirs[name] for name, value in self.as_json().items()})

    def minus(self, other: Tally) -> Tally:
        theirs = other.as_json()
        return Tally(**{name: value - theirs[name] for name, value in self.as_json().items()})


def tally_of(rows: QuerySet[Conversation]) -> Tally:
    """Count rows, and what people did to them."""
    versions = Exists(VersionRow.objects.filter(conversation=OuterRef("pk")))
    tags = Exists(RowTag.objects.filter(conversation=OuterRef("pk")))
    judged = Exists(OpinionRow.objects.filter(conversation=OuterRef("pk"), second__isnull=False))
    return Tally(
        **rows.order_by().aggregate(
            rows=Count("pk"),
            held=Count("pk", filter=versions),
            decided=Count("pk", filter=Q(decision__isnull=False)),
            edited=Count("pk", filter=Q(revision__gt=1)),
            tagged=Count("pk", filter=Q(tags)),
            judged=Count("pk", filter=Q(judged)),
        )
    )


def earlier_rows(file: SourceFile, reading: int) -> QuerySet[Conversation]:
    """Return the rows of a file that this reading has not given."""
    rows: QuerySet[Conversation] = current_rows(file).filter(reading__lt=reading)
    return rows
