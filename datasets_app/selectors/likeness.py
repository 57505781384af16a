"""Which rows of a dataset mean what one of them means; where nobody knows, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.repeats.index import Index
from datasets_app.corpus.repeats.nearest import Near, nearest
from datasets_app.corpus.repeats.said import said
from datasets_app.models import Conversation, Dataset, Encoder, RepeatSearch
from datasets_app.selectors.counted import counted
from datasets_app.selectors.repeats import search_of, unread

MOST_LIKE = 200
STEPS = (30, 50, 70, 90)  # percent; with the bundled encoder strange questions are below the first
USUAL = 50
LONGEST_SHOWN = 160


class NextStep(StrEnum):
    """What somebody does who wants to see rows like this one and cannot."""

    NONE = ""
    SEARCH = "search"
    WAIT = "wait"
    ENCODER = "encoder"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A row, what it asks, and the rows nearest to it with their nearness in percent."""

    position: int | None
    question: str
    near: dict[int, int] = field(default_factory=dict)
    trouble: str = ""
    step: NextStep = NextStep.NONE
    unread: int = 0  # rows whose meaning is not known yet

    @property
    def is_cut(self) -> bool:
        return len(self.near) == MOST_LIKE


def rows_like(dataset: Dataset, number: int, least: int) -> dict[int, int]:
    """Return the rows nearest to one with their nearness, the nearest first; itself is the first.

    A row is known by its question, so one whose answer was changed since stays among them.
    """
    index = _index(search_of(dataset))
    return _known(dataset, index, number, least) or {}


def likeness(dataset: Dataset, number: int, least: int) -> Likeness:
    """Return the same, with what a person has to know of it."""
    search = search_of(dataset)
    row = dataset.conversations.filter(pk=number).first()
    if row is None:
        gone = "The conversation that others were compared with is gone."
        return Likeness(None, "", trouble=gone)
    told = next((turn["text"] for turn in row.turns if turn["role"] == "user"), "")
    question = told if len(told) <= LONGEST_SHOWN else f"{told[:LONGEST_SHOWN]}…"
    near = _known(dataset, _index(search), number, least)
    if near is None:
        trouble, step = _why(row, search)
        return Likeness(row.position, question, trouble=trouble, step=step)
    return Likeness(row.position, question, near, unread=unread(dataset, search) if search else 0)


def _index(search: RepeatSearch | None) -> Index | None:
    return Index.open(search.path) if search and search.path else None


def _known(dataset: Dataset, index: Index | None, number: int, least: int) -> dict[int, int] | None:
    """Return the rows like one; None where its own meaning is not known."""
    if index is None or not index.vectors:
        return None
    state = (index.folder.name, index.rows, index.vectors, index.encoder)
    what = f"like {number} {least} {state}"
    return counted(dataset, what, lambda: (_found(dataset, index, number, least),))[0]


def _found(dataset: Dataset, index: Index, number: int, least: int) -> dict[int, int] | None:
    asked = _asked(dataset.conversations.filter(pk=number).values_list("turns", flat=True).first())
    found = nearest(index, asked, least=least / 100, most=MOST_LIKE) if asked else None
    if found is None:
        return None
    is_there = _still_asking(dataset, found)
    others = {one.pk: round(100 * one.cosine) for one in found if is_there(one)}
    return {number: 100} | others


def _asked(turns: object) -> int:
    return said(from_json(turns)).asked if isinstance(turns, list) else 0


def _still_asking(dataset: Dataset, found: list[Near]) -> Callable[[Near], bool]:
    """Return whether a row is there and asks what it asked when it was read."""
    rows = dataset.conversations.filter(pk__in=[one.pk for one in found])
    revisions = dict(rows.values_list("pk", "revision"))
    changed = [one.pk for one in found if revisions.get(one.pk, one.revision) != one.revision]
    turns = dict(rows.filter(pk__in=changed).values_list("pk", "turns"))
    return lambda one: (
        one.pk in revisions and (one.pk not in turns or _asked(turns[one.pk]) == one.asked)
    )


def _why(row: Conversation, search: RepeatSearch | None) -> tuple[str, NextStep]:
    """Return why a row's meaning is not known, and what to do about it."""
    if not _asked(row.turns):
        told = "This conversation asks nothing that others could be compared with: it is a text, a "
        return f"{told}greeting, or nobody answers. Search for its words instead.", NextStep.NONE
    if search is not None and search.is_under_way:
        told = f"Meanings are being read now: {search.get_step_display().lower()}, "
        return f"{told}{search.done:,} of {search.total:,}.", NextStep.WAIT
    if Encoder.objects.current() is None:
        told = "Rows are compared in meaning by a sentence encoder, and none is here yet."
        return told, NextStep.ENCODER
    if search is None:
        told = "What the questions of this dataset mean was never read. Finding repeats does it."
    elif search.facts.get("trouble"):
        told = f"{search.facts['trouble']} Find repeats again once it is there."
    else:
        told = "This question is new, changed or was excluded when meanings were last read. Finding"
        told += " repeats reads what is missing."
    return told, NextStep.SEARCH
