"""In which order the rows of a dataset are shown, and how a place in that order is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from datasets_app.models import Conversation, RowTag
from datasets_app.models.beginnings import BY_ANSWER, BY_QUESTION

FORWARD, BACK = "", "-"
Key = tuple[Any, int]  # the value that is sorted by, and the id


def _number(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 19 else None


def _place(word: str) -> float | None:
    """Return a place in the order of arrival; what was split off stands between two others."""
    whole, _, part = word.partition(".")
    is_number = whole.isdecimal() and len(word) < 40 and (part.isdecimal() or not part)
    return float(word) if is_number else None


def _moment(word: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        return None
    return found if found.tzinfo else None


_tags = RowTag.objects.filter(conversation=OuterRef("pk")).order_by("tag__name")
_first_tag = Coalesce(Subquery(_tags.values("tag__name")[:1]), Value(""))
_person = Coalesce("updated_by__username", Value(""))


@dataclass(frozen=True, slots=True)
class Order:
    """What is sorted by, in which direction, and how its value is read from an address."""

    words: str
    by: Any
    sign: str = FORWARD
    read: Callable[[str], Any] = _number

    @property
    def terms(self) -> tuple[Any, str]:
        by = self.by if hasattr(self.by, "desc") else F(self.by)
        return (by.desc() if self.sign else by.asc()), f"{self.sign}id"

    def keyed(self, rows: QuerySet[Conversation]) -> Any:
        """Return the rows with what they are sorted by."""
        return rows.annotate(key=F(self.by) if isinstance(self.by, str) else self.by)

    def beyond(self, rows: QuerySet[Conversation], key: Key, *, back: bool = False) -> Any:
        """Return the rows behind a place in this order, or before it; nearest first."""
        step = "lt" if bool(self.sign) != back else "gt"
        value, pk = key
        plain = Q(**{f"key__{step}e": value})  # a plain bound, for an index
        beyond = Q(**{f"key__{step}": value}) | Q(key=value, **{f"id__{step}": pk})
        return self.keyed(rows).filter(plain, beyond)

    def reversed(self) -> Order:
        return Order(self.words, self.by, FORWARD if self.sign else BACK, self.read)


ORDERS: dict[str, Order] = {
    "order": Order("order of arrival", "arrival", read=_place),
    "latest": Order("latest arrival first", "arrival", BACK, _place),
    "quality": Order("lowest quality first", "quality"),
    "best": Order("highest quality first", "quality", BACK),
    "longest": Order("longest", "n_words", BACK),
    "shortest": Order("shortest", "n_words"),
    "turns": Order("fewest turns", "n_turns"),
    "turns-most": Order("most turns", "n_turns", BACK),
    "question": Order("question, A to Z", BY_QUESTION, read=str),
    "question-z": Order("question, Z to A", BY_QUESTION, BACK, str),
    "answer": Order("answer, A to Z", BY_ANSWER, read=str),
    "answer-z": Order("answer, Z to A", BY_ANSWER, BACK, str),
    "status": Order("status, excluded first", "status", read=str),
    "status-z": Order("status, review first", "status", BACK, str),
    "language": Order("language, A to Z", "language", read=str),
    "language-z": Order("language, Z to A", "language", BACK, str),
    "side": Order("side, test first", Coalesce("split", Value("")), read=str),
    "side-z": Order("side, validation first", Coalesce("split", Value("")), BACK, str),
    "source": Order("file, A to Z", Coalesce("source_file__name", Value("")), read=str),
    "source-z": Order("file, Z to A", Coalesce("source_file__name", Value("")), BACK, str),
    "person": Order("changed by, A to Z", _person, read=str),
    "person-z": Order("changed by, Z to A", _person, BACK, str),
    "tag": Order("tag, A to Z", _first_tag, read=str),
    "tag-z": Order("tag, Z to A", _first_tag, BACK, str),
    "changed": Order("changed last", "updated_at", BACK, _moment),
    "changed-first": Order("changed first", "updated_at", read=_moment),
}
UNINDEXED = frozenset(
    (
        *("status", "status-z", "side", "side-z", "source", "source-z"),
        *("person", "person-z", "tag", "tag-z", "changed", "changed-first"),
    )
)
"""Orders by what decisions and versions write, or what stands elsewhere: no index knows them, so
they are for as many rows as can be sorted while somebody waits."""
MOST_SORTED = 100_000
# Of rows like one row only; what they are sorted by is said by `among`.
NEARNESS: dict[str, Order] = {
    "nearest": Order("nearest in meaning first", "position"),
    "farthest": Order("farthest in meaning first", "position", BACK),
}


def among(order: Order, rows: Iterable[int]) -> Order:
    """Return the order by the place in a list of rows."""
    listed = Cast(Value(list(rows)), ArrayField(BigIntegerField()))
    place = Func(listed, F("pk"), function="array_position", output_field=IntegerField())
    return replace(order, by=place)


def read_key(order: Order, written: str) -> Key | None:
    """Return the place that an address names, None for one that is none of this order."""
    value, _, pk = written.rpartition(",")
    number, found = _number(pk), order.read(value)
    return None if number is None or found is None else (found, number)


def written_key(key: Key | None) -> str:
    """Return how an address names a place."""
    if key is None:
        return ""
    value, pk = key
    return f"{value.isoformat() if isinstance(value, datetime) else value},{pk}"
