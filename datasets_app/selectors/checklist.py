"""What a dataset should be before it is frozen, each with whether it is so now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.urls import reverse

from datasets_app.corpus.quality import Advice
from datasets_app.models import Dataset, RepeatSearch, Status
from datasets_app.selectors.counted import counted
from datasets_app.selectors.quality import Group
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.scores import groups_in, score_of
from otto_web.lib.work.states import State

FEWEST, BETTER = 20, 50  # conversations
MOST_COPIES = 0.1  # of what is left
MOST_OF_WORDS = 0.5  # that the longest tenth of the conversations may hold
MOST_MEASURED = 20_000
UNFINISHED = ("truncated", "empty")


@dataclass(frozen=True, slots=True)
class Tick:
    """A point of the list; `url` shows the rows that it is about."""

    is_done: bool
    words: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A piece of advice with the rows it speaks of, and how many of these wait for a decision."""

    advice: Advice
    query: str
    waiting: int
    deed: str  # the address' query of the rows that one press excludes


def checklist(dataset: Dataset) -> list[Tick]:
    """Return the list as it is now; what is counted for it is kept until the rows change."""
    groups = groups_in(dataset, RowFilter()).groups
    table = reverse("dataset-detail", args=[dataset.pk])
    kept = _rows(groups, Status.KEPT)
    undecided = _rows(groups, Status.REVIEW)
    unfinished = sum(
        group.count
        for group in groups
        if group.status != Status.EXCLUDED
        and group.decision is None
        and not set(UNFINISHED).isdisjoint(group.reasons)
    )
    copies, long_ones = score_of(dataset).copies.number, _share_of_long_ones(dataset)
    return [
        Tick(
            kept >= FEWEST,
            f"at least {FEWEST} conversations",
            f"{kept:,} are kept" + ("" if kept >= BETTER else f"; {BETTER} and more are better"),
            f"{table}?status=kept",
        ),
        Tick(
            bool(kept) and copies <= MOST_COPIES * (kept + undecided),
            "varied",
            f"{copies:,} say what others say",
            f"{table}?copies=1",
        ),
        Tick(
            bool(kept) and long_ones <= MOST_OF_WORDS,
            "balanced lengths",
            f"the longest tenth holds {long_ones:.0%} of the words",
            f"{table}?sort=longest",
        ),
        Tick(
            bool(kept) and not unfinished,
            "complete",
            f"{unfinished:,} empty or broken off",
            f"{table}?reason={'%2C'.join(UNFINISHED)}&status=kept%2Creview",
        ),
        Tick(
            bool(kept) and not undecided,
            "nothing undecided",
            f"{undecided:,} to review",
            f"{table}?status=review",
        ),
        _repeats(dataset),
    ]


def _rows(groups: Sequence[Group], status: Status) -> int:
    return sum(group.count for group in groups if group.status == status)


def _repeats(dataset: Dataset) -> Tick:
    search = RepeatSearch.objects.filter(pk=dataset.pk).values_list("state", flat=True).first()
    waiting = counted(dataset, "waiting clusters", dataset.clusters.waiting().count)
    note = f"{waiting:,} groups to decide"
    if search != State.SUCCEEDED and not waiting:
        note = "nobody has looked yet"
    is_done = search == State.SUCCEEDED and not waiting
    url = reverse("repeat-list", args=[dataset.pk])
    return Tick(is_done, "no repeats or conflicts left", note, url)


def _share_of_long_ones(dataset: Dataset) -> float:
    """Return which share of the kept words stands in the longest tenth of the conversations.

    Of a large dataset every so many-th conversation is measured.
    """

    def count() -> float:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT coalesce(sum(n_words) FILTER (WHERE place <= ceil(total / 10.0)), 0)::float
                       / greatest(sum(n_words), 1)
                FROM (SELECT n_words, row_number() OVER (ORDER BY n_words DESC, id) AS place,
                             count(*) OVER () AS total
                      FROM datasets_app_conversation
                      WHERE dataset_id = %s AND status = 'kept' AND position %% %s = 0) row
                """,
                [dataset.pk, max(1, dataset.next_position // MOST_MEASURED)],
            )
            (share,) = cursor.fetchone() or (0.0,)
        return float(share or 0)

    return counted(dataset, "share of long ones", count)


def fixes(dataset: Dataset, advice: Sequence[Advice]) -> list[Fix]:
    """Return what may be done at once about each piece of advice."""
    groups = groups_in(dataset, RowFilter()).groups
    return [_fix(one, groups) for one in advice]


def _fix(advice: Advice, groups: Sequence[Group]) -> Fix:
    if advice.rule == "copies":
        return Fix(advice, RowFilter(copies="1").query(), 0, "")
    if not advice.rule:
        return Fix(advice, RowFilter(status="review,excluded").query(), 0, "")
    waiting = sum(
        group.count
        for group in groups
        if group.status == Status.REVIEW and advice.rule in group.reasons
    )
    deed = RowFilter(reason=advice.rule, status=Status.REVIEW.value).query()
    return Fix(advice, RowFilter(reason=advice.rule).query(), waiting, deed)
