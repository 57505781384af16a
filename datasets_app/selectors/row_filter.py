"""Which rows of a dataset a person is looking at: the state of the table, as in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.split import SPLITS
from datasets_app.models import Conversation, Dataset, Status
from datasets_app.selectors.searching import holds, is_slow

SORTS: dict[str, tuple[str, str]] = {
    "order": ("position", ""),
    "quality": ("quality", ""),
    "longest": ("n_words", "-"),
}
SORT_WORDS = {"order": "order of arrival", "quality": "lowest quality first", "longest": "longest"}
PAGE_SIZES = (50, 100, 200)
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Filter, sort and page of the table; `after` is the sort value and id of the row before."""

    status: str = ""
    reason: str = ""
    search: str = ""
    file: str = ""
    split: str = ""
    copies: str = ""
    sort: str = "order"
    size: int = PAGE_SIZES[0]
    after: tuple[int, int] | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Return the filter that an address names; what it does not understand is left out."""
        size = query.get("size", "")
        return cls(
            status=_one_of(query.get("status", ""), Status.values),
            reason=query.get("reason", "")[:30].replace("\0", ""),
            search=clean_text(query.get("q", "")[:LONGEST_SEARCH]).text.strip(),
            file=_uuid(query.get("file", "")),
            split=_one_of(query.get("split", query.get("side", "")), SPLITS),  # side: its old name
            copies=_one_of(query.get("copies", ""), ("1",)),
            sort=_one_of(query.get("sort", ""), SORTS) or "order",
            size=int(size) if size in map(str, PAGE_SIZES) else PAGE_SIZES[0],
            after=_pair(query.get("after", "")),
        )

    def query(self, **changes: Any) -> str:
        """Return the address' query for this filter with some parts changed."""
        other = replace(self, **{"after": None, **changes})
        parts = {
            "status": other.status,
            "reason": other.reason,
            "q": other.search,
            "file": other.file,
            "split": other.split,
            "copies": other.copies,
            "sort": other.sort if other.sort != "order" else "",
            "size": str(other.size) if other.size != PAGE_SIZES[0] else "",
            "after": f"{other.after[0]},{other.after[1]}" if other.after else "",
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def as_json(self) -> dict[str, Any]:
        """Return what an action stores of the filter: which rows, not which page."""
        return {**asdict(self), "after": None}

    @property
    def narrows(self) -> bool:
        parts = (self.status, self.reason, self.search, self.file, self.split, self.copies)
        return any(parts)

    @property
    def is_slow(self) -> bool:
        """Whether the search has nothing that the index knows of."""
        return is_slow(self.search)

    @property
    def scope(self) -> Self:
        """The filter without status and reason: what the counts beside them are counted in."""
        return type(self)(search=self.search, file=self.file, split=self.split, copies=self.copies)

    def rows(self, dataset: Dataset) -> QuerySet[Conversation]:
        """Return the dataset's rows that match, unordered."""
        parts: dict[str, Q | Exists] = {
            "status": Q(status=self.status),
            "reason": Q(reasons__contains=[self.reason]),
            "search": holds(self.search),
            "file": Q(source_file=self.file),
            "split": Q(split=self.split),
            "copies": is_copy(),
        }
        chosen = [part for name, part in parts.items() if getattr(self, name)]
        return dataset.conversations.filter(*chosen)

    def page(self, dataset: Dataset) -> QuerySet[Conversation]:
        """Return the rows of the page in order, one more than its size to tell if more follow.

        The keys are found first, so that texts are read for the page's rows only; in a query of
        its own, since one for both is planned as if few rows matched where the planner does not
        know the dataset yet, and then looks for the page anew for each row.
        """
        field, sign = SORTS[self.sort]
        order = (f"{sign}{field}", f"{sign}id")
        rows = self.rows(dataset)
        if self.after:
            rows = rows.filter(*_beyond(field, self.after, "lt" if sign else "gt"))
        keys = list(rows.order_by(*order).values_list("pk", flat=True)[: self.size + 1])
        return Conversation.objects.filter(pk__in=keys).order_by(*order)

    def earlier(self, dataset: Dataset) -> tuple[int, Self | None]:
        """Return how many rows stand before the page, and the page before; None on the first."""
        if self.after is None:
            return 0, None
        field, sign = SORTS[self.sort]
        step = "gt" if sign else "lt"
        value, pk = self.after
        here = Q(**{field: value, "id": pk})
        plain, beyond = _beyond(field, self.after, step)
        passed = self.rows(dataset).filter(plain, beyond | here)
        back = "" if sign else "-"
        last = passed.order_by(f"{back}{field}", f"{back}id")[self.size : self.size + 1]
        key = next((self.key_of(row) for row in last.only(field)), None)
        return passed.count(), replace(self, after=key)

    def key_of(self, row: Conversation) -> tuple[int, int]:
        return int(getattr(row, SORTS[self.sort][0])), row.pk


def _beyond(field: str, key: tuple[int, int], step: str) -> tuple[Q, Q]:
    """Return the conditions to stand beyond a key; the first is a plain bound, for an index."""
    value, pk = key
    plain = Q(**{f"{field}__{step}e": value})
    return plain, Q(**{f"{field}__{step}": value}) | Q(**{field: value, f"id__{step}": pk})


def is_copy() -> Exists:
    """Return the condition that an earlier row of the dataset says the same."""
    earlier = Conversation.objects.filter(
        dataset=OuterRef("dataset"),
        exact_key=OuterRef("exact_key"),
        position__lt=OuterRef("position"),
    )
    return Exists(earlier)


def _one_of(value: str, known: Any) -> str:
    return value if value in known else ""


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return ""


def _pair(value: str) -> tuple[int, int] | None:
    first, _, second = value.partition(",")
    if first.isdecimal() and second.isdecimal() and max(len(first), len(second)) < 19:
        return int(first), int(second)
    return None
