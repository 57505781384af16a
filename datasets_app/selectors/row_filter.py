"""Which rows of a dataset a person is looking at: the state of the table, as in its address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models import Count as Number
from django.http import QueryDict

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.split import SPLITS
from datasets_app.corpus.tags import LONGEST_TAG, NOTHING
from datasets_app.models import ClusterKind, Conversation, Dataset, Origin, Status
from datasets_app.selectors import builder
from datasets_app.selectors.counted import counted
from datasets_app.selectors.estimates import Count, is_large, passed
from datasets_app.selectors.likeness import STEPS, USUAL, Likeness, likeness, rows_like
from datasets_app.selectors.repeating import ANY, repeats
from datasets_app.selectors.row_columns import SHOWN, read_columns
from datasets_app.selectors.row_order import (
    NEARNESS,
    ORDERS,
    Key,
    Order,
    among,
    read_key,
    written_key,
)
from datasets_app.selectors.searching import holds, is_slow, misread_in
from datasets_app.selectors.tags import has_tag

PAGE_SIZES = (50, 100, 200)
LONGEST_SEARCH = 200
MOST_CHOSEN = 50  # values of one field
MOST_LISTED = 2_000  # rows that are named one by one
LARGEST = 2**31 - 1
RANGE = re.compile(r"(\d{0,10})-(\d{0,10})")
Condition = Callable[[str, Dataset], Q | Exists | Func]


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Filter, sort and page of the table; `after` is the sort value and id of the row before.

    Of a field with several values, separated by commas, a row has to have one.
    """

    status: str = ""
    reason: str = ""
    search: str = ""
    file: str = ""
    split: str = ""
    language: str = ""
    origin: str = ""
    person: str = ""
    edited: str = ""
    copies: str = ""
    tag: str = ""
    repeats: str = ""
    quality: str = ""
    length: str = ""
    like: str = ""
    near: str = ""
    where: str = ""
    sort: str = "order"
    size: int = PAGE_SIZES[0]
    columns: str = SHOWN
    after: Key | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Return the filter that an address names; what it does not understand is left out."""
        size = query.get("size", "")
        sort = query.get("sort", "")
        parts = {
            name: read(_given(query, NAMES.get(name, name)).replace("\0", ""))
            for name, (read, _) in FIELDS.items()
        }
        if not parts["split"]:
            parts["split"] = _splits(query.get("side", ""))  # its old name
        if not parts["like"]:
            parts["near"] = ""
        orders = ORDERS | (NEARNESS if parts["like"] else {})
        sort = sort if sort in orders else "order"
        return cls(
            **parts,
            sort=sort,
            size=int(size) if size in map(str, PAGE_SIZES) else PAGE_SIZES[0],
            columns=read_columns(_all(query, "cols")),
            after=read_key(orders[sort], query.get("after", "").replace("\0", "")),
        )

    def query(self, **changes: Any) -> str:
        """Return the address' query for this filter with some parts changed."""
        other = replace(self, **{"after": None, **changes})
        parts = {NAMES.get(name, name): getattr(other, name) for name in FIELDS} | {
            "sort": other.sort if other.sort != "order" else "",
            "size": str(other.size) if other.size != PAGE_SIZES[0] else "",
            "cols": other.columns if other.columns != SHOWN else "",
            "after": written_key(other.after),
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def as_json(self) -> dict[str, Any]:
        """Return what an action stores of the filter: which rows, not which page."""
        return {**asdict(self), "after": None}

    def chosen(self, name: str) -> list[str]:
        """Return the values of a field."""
        return [value for value in getattr(self, name).split(",") if value]

    def toggled(self, name: str, value: str) -> str:
        """Return the address' query with one value more, or less where it is chosen."""
        chosen = self.chosen(name)
        others = [one for one in chosen if one != value]
        return self.query(**{name: ",".join(others if value in chosen else [*chosen, value])})

    @property
    def narrows(self) -> bool:
        return any(getattr(self, name) for name in FIELDS)

    @property
    def is_slow(self) -> bool:
        """Whether the search has nothing that the index knows of."""
        return is_slow(self.search)

    @property
    def sentence(self) -> str:
        """The conditions that were put together, as one says them."""
        return builder.sentence(builder.read_groups(self.where))

    @property
    def said(self) -> list[tuple[str, str, str, str]]:
        """The same in parts: a condition between its signs, and the address' query without it."""
        parts = builder.said(builder.read_groups(self.where))
        return [
            (before, words, behind, self.query(where=left)) for before, words, behind, left in parts
        ]

    @property
    def misread(self) -> tuple[str, ...]:
        """What of the search looks like a condition and names no value of its field."""
        return misread_in(self.search)

    @property
    def is_found_by_index(self) -> bool:
        """Whether an index finds the rows, should they be few."""
        is_searched = bool(self.search) and not self.is_slow
        indexed = (self.reason, self.file, self.tag, self.language, self.like, self.repeats)
        return is_searched or any(indexed)

    @property
    def here(self) -> str:
        """The address' query for exactly this page."""
        return self.query(after=self.after)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What a form that changes the search, the sort or the size carries along."""
        return parse_qsl(self.query(search="", sort="order", size=PAGE_SIZES[0], columns=SHOWN))

    @property
    def scope(self) -> Self:
        """The filter without status and reason: what the counts beside them are counted in."""
        return self.without("status", "reason")

    def without(self, *names: str) -> Self:
        """Return the filter without some of its fields, and without order and page."""
        kept = {name: getattr(self, name) for name in FIELDS if name not in names}
        return type(self)(**kept)

    def rows(self, dataset: Dataset) -> QuerySet[Conversation]:
        """Return the dataset's rows that match, unordered."""
        chosen: list[Any] = [
            condition(getattr(self, name), dataset)
            for name, (_, condition) in FIELDS.items()
            if getattr(self, name)
        ]
        if self.like:
            chosen.append(_is_one_of(self._near(dataset)))
        return dataset.conversations.filter(*chosen)

    def found(self, dataset: Dataset) -> QuerySet[Conversation]:
        """Return the dataset's rows that match, to be read in an order that an index knows."""
        return self._few_listed(dataset, self.rows(dataset))

    def _few_listed(self, dataset: Dataset, rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return _listed(rows) if is_large(dataset) and self.is_found_by_index else rows

    def meaning(self, dataset: Dataset) -> str:
        """Return which rows are meant now, to keep counts by: rows like one are no condition."""
        return f"{self.query()} {self._near(dataset)}" if self.like else self.query()

    def likeness(self, dataset: Dataset) -> Likeness | None:
        """Return what is known of the rows like one row, where these are asked for."""
        return likeness(dataset, int(self.like), self.least) if self.like else None

    @property
    def least(self) -> int:
        """How near a row must be, in percent."""
        return int(self.near) if self.near else USUAL

    def _near(self, dataset: Dataset) -> list[int]:
        return list(rows_like(dataset, int(self.like), self.least))

    def _order(self, dataset: Dataset) -> Order:
        if self.like and self.sort in NEARNESS:
            return among(NEARNESS[self.sort], self._near(dataset))
        return ORDERS.get(self.sort, ORDERS["order"])

    def page(self, dataset: Dataset) -> QuerySet[Conversation]:
        """Return the rows of the page in order, one more than its size to tell if more follow.

        The keys are found first, so that texts are read for the page's rows only; in a query of
        its own, since one for both is planned as if few rows matched where the planner does not
        know the dataset yet, and then looks for the page anew for each row.
        """
        order = self._order(dataset)
        rows = self.rows(dataset)
        if self.after:
            rows = order.beyond(rows, self.after)
        rows = self._few_listed(dataset, rows)
        keys = list(rows.order_by(*order.terms).values_list("pk", flat=True)[: self.size + 1])
        shown = order.keyed(Conversation.objects.filter(pk__in=keys))
        return shown.order_by(*order.terms)  # type: ignore[no-any-return]

    def earlier(self, dataset: Dataset) -> tuple[Count, Self | None]:
        """Return how many rows stand before the page, and the page before; None on the first."""
        if self.after is None:
            return Count(0), None
        order, (value, pk) = self._order(dataset), self.after
        others = order.beyond(self.rows(dataset), self.after, back=True)
        backward = others.order_by(*order.reversed().terms)
        # the row that is named stands before the page too, if it is still there
        here = order.keyed(self.rows(dataset)).filter(key=value, pk=pk).exists()
        last = backward.values_list("key", "pk")[self.size - here : self.size - here + 1]
        before = passed(dataset, others)
        number = Count(before.number + here, before.is_estimate)
        return number, replace(self, after=next(iter(last), None))

    def back_to(self, dataset: Dataset, pk: int) -> Self:
        """Return the page that ends with this row where it stands before the page, else the page.

        So a cursor that goes back meets the rows as they stood before it went on.
        """
        if self.after is None:
            return self
        order, rows = self._order(dataset), self.rows(dataset)
        key = order.keyed(rows.filter(pk=pk)).values_list("key", "pk").first()
        earlier = order.beyond(rows, self.after, back=True).filter(pk=pk)
        if key is None or not (pk == self.after[1] or earlier.exists()):
            return self
        others = order.beyond(rows, key, back=True).order_by(*order.reversed().terms)
        start = others.values_list("key", "pk")[self.size - 1 : self.size]
        return replace(self, after=next(iter(start), None))

    def neighbours(self, row: Conversation) -> dict[str, int | None]:
        """Return the rows before and after one in the order of the table."""
        order, rows = self._order(row.dataset), self.rows(row.dataset)
        key = order.keyed(Conversation.objects.filter(pk=row.pk)).values_list("key", "pk").get()
        following = order.beyond(rows, key).order_by(*order.terms)
        before = order.beyond(rows, key, back=True).order_by(*order.reversed().terms)
        return {
            "following": following.values_list("pk", flat=True).first(),
            "before": before.values_list("pk", flat=True).first(),
        }


def _listed(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Return the same rows named one by one where they are few.

    In an order that an index knows PostgreSQL would look for them along all of it.
    """
    found = list(rows.order_by().values_list("pk", flat=True)[: MOST_LISTED + 1])
    return rows if len(found) > MOST_LISTED else rows.filter(_is_one_of(found))


def _is_one_of(rows: list[int]) -> Func:
    template, joined = "%(expressions)s)", " = ANY("
    return Func(
        F("pk"), Value(rows), template=template, arg_joiner=joined, output_field=BooleanField()
    )


def is_copy() -> Exists:
    """Return the condition that an earlier row of the dataset says the same."""
    earlier = Conversation.objects.filter(
        dataset=OuterRef("dataset"),
        exact_key=OuterRef("exact_key"),
        position__lt=OuterRef("position"),
    )
    return Exists(earlier)


def copies_in(dataset: Dataset) -> Exists | Func:
    """Return the condition to be a copy; those of a large dataset are listed where they are few."""
    if not is_large(dataset):
        return is_copy()
    is_whole, found = counted(dataset, "copies listed", lambda: _list_copies(dataset))
    return _is_one_of(found) if is_whole else is_copy()


def _list_copies(dataset: Dataset) -> tuple[bool, list[int]]:
    """Return the copies of a dataset and whether these are all; none where they are many."""
    texts = dataset.conversations.order_by().values("exact_key").annotate(n=Number("*"))
    times = dict(texts.filter(n__gt=1).values_list("exact_key", "n")[: MOST_LISTED + 1])
    if sum(times.values()) - len(times) > MOST_LISTED:  # of a few texts there may be many
        return False, []
    alike = dataset.conversations.filter(exact_key__in=times).order_by("exact_key", "position")
    seen: set[str] = set()
    found = []
    for key, pk in alike.values_list("exact_key", "pk"):
        if key in seen:
            found.append(pk)
        seen.add(key)
    return True, found


def _given(query: Mapping[str, str], name: str) -> str:
    """Return what an address says of a field; a range may come in its two ends."""
    ends = [query.get(f"{name}_{end}", "") for end in ("from", "to")]
    return query.get(name, "") or ("-".join(ends) if any(ends) else "")


def _all(query: Mapping[str, str], name: str) -> list[str]:
    """Return every value of a name; boxes of a form send one for each that is checked."""
    values = query.getlist(name) if isinstance(query, QueryDict) else [query.get(name, "")]
    return [value for value in values if value]


def _several(value: str, is_known: Callable[[str], bool]) -> str:
    values = (one for one in value.split(",")[: MOST_CHOSEN * 2] if is_known(one))
    return ",".join(list(dict.fromkeys(values))[:MOST_CHOSEN])


def _known(words: Iterable[str]) -> Callable[[str], str]:
    known = frozenset(words)
    return lambda value: _several(value, known.__contains__)


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _is_id(value: str) -> bool:
    return value == NOTHING or (value.isdecimal() and len(value) < 10)


def _range(value: str) -> str:
    """Return a range like `50-69`, `50-` or `-69`; empty for anything else."""
    found = RANGE.fullmatch(value)
    return value if found and any(found.groups()) else ""


def _among(field: str, empty: Any = None) -> Condition:
    """Return the condition that a column has one of the values; `none` means the empty one."""

    def condition(value: str, _: Dataset) -> Q:
        values = value.split(",")
        given = Q(**{f"{field}__in": [one for one in values if one != NOTHING]})
        return given | Q(**{field: empty}) if NOTHING in values else given

    return condition


def _between(field: str) -> Condition:
    def condition(value: str, __: Dataset) -> Q:
        low, _, high = value.partition("-")
        ends = (min(int(low or 0), LARGEST), min(int(high or LARGEST), LARGEST))
        return Q(**{f"{field}__range": ends})

    return condition


def _number(value: str) -> str:
    return value if value.isascii() and value.isdecimal() and len(value) < 19 else ""


def _flag(value: str) -> str:
    return value if value == "1" else ""


def _search(value: str) -> str:
    return clean_text(value[:LONGEST_SEARCH]).text.strip()


def _tags(value: str) -> str:
    return _several(value.casefold(), lambda one: 0 < len(one) <= LONGEST_TAG)


_splits = _known((*SPLITS, NOTHING))
_STEPS = frozenset(str(step) for step in STEPS if step != USUAL)
NAMES = {"search": "q", "length": "words", "person": "by"}  # in the address
# How each field is read from an address, and which rows of a dataset it means.
FIELDS: dict[str, tuple[Callable[[str], str], Condition]] = {
    "status": (_known(Status.values), _among("status")),
    "reason": (
        lambda value: _several(value, lambda one: 0 < len(one) <= 30),
        lambda value, _: Q(reasons__overlap=value.split(",")),
    ),
    "search": (_search, holds),
    "file": (
        lambda value: _several(value, lambda one: one == NOTHING or _is_uuid(one)),
        _among("source_file"),
    ),
    "split": (_splits, _among("split")),
    "language": (
        lambda value: _several(value, lambda one: one.isalpha() and len(one) <= 8),
        _among("language", ""),
    ),
    "origin": (_known(Origin.values), _among("origin")),
    "person": (lambda value: _several(value, _is_id), _among("updated_by")),
    "edited": (_flag, lambda _, __: Q(revision__gt=1)),
    "copies": (_flag, lambda _, dataset: copies_in(dataset)),
    "tag": (_tags, lambda value, dataset: has_tag(dataset, value.split(","))),
    "repeats": (
        _known((*ClusterKind.values, ANY)),
        lambda value, dataset: repeats(dataset, value.split(",")),
    ),
    "quality": (_range, _between("quality")),
    "length": (_range, _between("n_words")),
    "like": (_number, lambda _, __: Q()),  # `rows` adds the rows, which knows the dataset
    "near": (
        lambda value: value if value in _STEPS else "",
        lambda _, __: Q(),
    ),  # only said beside `like`
    "where": (builder.read_where, builder.meets),
}
