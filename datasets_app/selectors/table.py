"""One page of a dataset's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Func, Min, Value
from django.db.models.functions import Greatest, StrIndex, Substr, Upper

from datasets_app.corpus.language import NAMES as LANGUAGES
from datasets_app.corpus.rules.registry import label_of
from datasets_app.models import Dataset, Status
from datasets_app.models.beginnings import FIRST_ANSWER, FIRST_QUESTION, PREVIEW_CHARACTERS
from datasets_app.selectors.estimates import Count, is_large
from datasets_app.selectors.likeness import STEPS, USUAL, Likeness
from datasets_app.selectors.marking import SHOWN_BEFORE, Piece, at_hit
from datasets_app.selectors.quality import (
    rows_by_reason,
    rows_by_status,
)
from datasets_app.selectors.row_columns import (
    ANSWER,
    CHOICE,
    NEARNESS,
    QUESTION,
    Column,
    Head,
    columns_of,
    head_of,
)
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.row_order import MOST_SORTED, UNINDEXED
from datasets_app.selectors.scores import groups_in
from datasets_app.selectors.searching import hits_in, terms_of
from datasets_app.selectors.tags import ShownTag, tags_of_dataset, tags_of_rows

COLUMNS = (
    *("position", "exact_key", "n_turns", "n_words", "quality", "status", "decision", "reasons"),
    *("language", "split", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row shows in a column."""

    column: Column
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    pk: int
    position: int
    question: list[Piece]
    answer: list[Piece]
    elsewhere: list[Piece]  # where the search hit, if in neither of the two
    cells: list[Cell]
    status: str
    is_decided: bool
    is_copy: bool
    why: list[tuple[str, str]]
    tags: list[ShownTag]  # where they have no column of their own


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of one page with what surrounds them; `before` and `following` are addresses."""

    rows: list[Row]
    passed: Count
    before: str | None
    following: str
    statuses: list[tuple[str, str, int, str]]
    reasons: list[tuple[str, str, int, str]]
    tags: list[tuple[ShownTag, str]]
    without_tag: str
    matching: Count
    total: int
    is_estimate: bool  # whether what stands above the table is one
    heads: list[Head]
    choice: list[tuple[Column, bool]]
    like: Likeness | None
    nearer: list[tuple[int, str]]
    not_like: str
    can_sort: bool  # also by what no index knows

    @property
    def holds_passages(self) -> bool:
        """Say whether nobody asks in what the page shows: it is made of documents."""
        return bool(self.rows) and not any(row.question for row in self.rows)

    @property
    def places(self) -> str:
        """Return which rows of those that match these are, counted from 1."""
        first = self.passed.number + 1
        if self.passed.is_estimate:
            return f"{len(self.rows)} from {Count(first, is_estimate=True)}"
        return f"{first:,}–{first + len(self.rows) - 1:,}"


def table_page(dataset: Dataset, rows: RowFilter, exactly: int | None = None) -> TablePage:
    """Return one page of the table in seven queries, two more behind the first.

    `exactly` is the number of rows that match, where somebody counted them.
    """
    page = rows.page(dataset).only(*COLUMNS)
    hit = _around(rows.search)
    page = page.annotate(source=F("source_file__name"), person=F("updated_by__username"))
    found = list(page.annotate(question=FIRST_QUESTION, answer=FIRST_ANSWER, hit=hit))
    shown = found[: rows.size]
    like = rows.likeness(dataset)
    for row in shown:
        vars(row)[NEARNESS.stored] = like.near.get(row.pk) if like else None
    earliest = _earliest(dataset, {row.exact_key for row in shown})
    for row in shown:  # somebody may have changed its words since it was read
        earliest.setdefault(row.exact_key, row.position)
    tags = tags_of_rows([row.pk for row in shown])
    of_scope = groups_in(dataset, rows)
    groups = of_scope.groups
    reasons, statuses = set(rows.chosen("reason")), rows.chosen("status")
    by_status = rows_by_status(g for g in groups if not reasons or reasons & set(g.reasons))
    by_reason = rows_by_reason(g for g in groups if not statuses or g.status in statuses)
    matching = sum(by_status[one] for one in statuses) if statuses else by_status.total()
    is_estimate = of_scope.is_estimate
    following = ""
    if len(found) > rows.size:
        following = rows.query(after=(shown[-1].key, shown[-1].pk))  # type: ignore[attr-defined]
    can_sort = is_sortable(dataset, rows)
    passed, before = rows.earlier(dataset)
    return TablePage(
        rows=[_row(row, rows, earliest[row.exact_key], tags.get(row.pk, [])) for row in shown],
        passed=passed,
        before=None if before is None else before.here,
        following=following,
        statuses=list(_status_tabs(rows, by_status)),
        reasons=list(_reason_chips(rows, by_reason)),
        tags=[(tag, rows.query(tag=tag.name)) for tag in tags_of_dataset(dataset)],
        without_tag=rows.query(tag=""),
        matching=Count(matching, is_estimate) if exactly is None else Count(exactly),
        total=by_status.total(),
        is_estimate=is_estimate,
        heads=[_head(one, rows, can_sort=can_sort) for one in (QUESTION, ANSWER, *_columns(rows))],
        can_sort=can_sort,
        choice=[(one, one in columns_of(rows.columns)) for one in CHOICE.values()],
        like=like,
        nearer=[(least, rows.query(near=str(least) if least != USUAL else "")) for least in STEPS],
        not_like=rows.query(like="", near="", sort="order"),
    )


def sortable(dataset: Dataset, rows: RowFilter) -> RowFilter:
    """Return the filter, in the order of arrival where the one it asks for would take too long."""
    if rows.sort not in UNINDEXED or not is_large(dataset) or is_sortable(dataset, rows):
        return rows
    return replace(rows, sort="order", after=None)


def is_sortable(dataset: Dataset, rows: RowFilter) -> bool:
    """Say whether the rows that match are few enough to be sorted without an index."""
    return not is_large(dataset) or matching_rows(dataset, rows).number <= MOST_SORTED


def matching_rows(dataset: Dataset, rows: RowFilter) -> Count:
    """Return how many rows match, as the table says it."""
    reasons, statuses = set(rows.chosen("reason")), set(rows.chosen("status"))
    found = groups_in(dataset, rows)
    number = sum(
        group.count
        for group in found.groups
        if (not reasons or reasons & set(group.reasons))
        and (not statuses or group.status in statuses)
    )
    return Count(number, found.is_estimate)


def _columns(rows: RowFilter) -> list[Column]:
    """Return the columns beside the words; how near a row is stands first."""
    return [*((NEARNESS,) if rows.like else ()), *columns_of(rows.columns)]


def _head(column: Column, rows: RowFilter, *, can_sort: bool) -> Head:
    head = head_of(column, rows)
    return head if can_sort or column.order not in UNINDEXED else replace(head, query="")


def _earliest(dataset: Dataset, keys: Collection[str]) -> dict[str, int]:
    """Return where each of these texts stands first in the dataset."""
    alike = dataset.conversations.filter(exact_key__in=keys).values_list("exact_key")
    return dict(alike.annotate(first=Min("position")).order_by())


def _status_tabs(rows: RowFilter, counts: Counter[str]) -> Iterator[tuple[str, str, int, str]]:
    yield "", "All", counts.total(), rows.query(status="")
    for status in Status:
        yield status.value, status.label, counts[status], rows.query(status=status.value)


def _reason_chips(rows: RowFilter, counts: dict[str, int]) -> Iterator[tuple[str, str, int, str]]:
    for rule, count in counts.items():
        yield rule, label_of(rule), count, rows.toggled("reason", rule)


def _around(search: str) -> Func | Value:
    """Return what stands around the first piece that was searched for, wherever in the row."""
    terms = terms_of(search)
    if not terms:
        return Value("")
    place = StrIndex(Upper("text"), Upper(Value(terms[0]))) - SHOWN_BEFORE
    return Substr("text", Greatest(place, 1), PREVIEW_CHARACTERS)


def _row(row: Any, rows: RowFilter, earliest: int, tags: list[ShownTag]) -> Row:
    search = rows.search
    question, answer = (
        (text, hits_in(text, search)) for text in (row.question or "", row.answer or "")
    )
    hits = hits_in(row.hit, search)
    is_elsewhere = hits and not (question[1] or answer[1])
    return Row(
        pk=row.pk,
        position=row.position,
        question=at_hit(*question),
        answer=at_hit(*answer),
        elsewhere=at_hit(row.hit, hits) if is_elsewhere else [],
        cells=[Cell(one, _shown(row, one, tags)) for one in _columns(rows)],
        status=row.status,
        is_decided=row.decision is not None,
        is_copy=earliest < row.position,
        why=[(rule, label_of(rule)) for rule in row.reasons],
        tags=[] if "tags" in rows.columns.split(",") else tags,
    )


def _shown(row: Any, column: Column, tags: list[ShownTag]) -> Any:
    if column.name == "tags":
        return tags
    value = getattr(row, column.stored)
    return LANGUAGES.get(value, value) if column.name == "language" else value
