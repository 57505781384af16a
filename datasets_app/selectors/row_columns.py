"""The columns of a dataset's table: which are chosen, and how one sorts by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column with the two orders that its head switches between; `stored` is what it shows."""

    name: str
    title: str
    order: str
    back: str
    stored: str = ""
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: the address' query that sorts by it, and how it is sorted now."""

    column: Column
    query: str
    sorted: str  # as aria-sort says it, empty where another column is sorted by


QUESTION = Column("question", "Question", "question", "question-z")
ANSWER = Column("answer", "Answer", "answer", "answer-z")
NEARNESS = Column("nearness", "Near", "farthest", "nearest", "nearness", is_figure=True)
CHOICE: dict[str, Column] = {
    column.name: column
    for column in (
        Column("number", "No.", "order", "latest", "position", is_figure=True),
        Column("turns", "Turns", "turns", "turns-most", "n_turns", is_figure=True),
        Column("words", "Words", "shortest", "longest", "n_words", is_figure=True),
        Column("quality", "Quality", "quality", "best", "quality", is_figure=True),
        Column("language", "Language", "language", "language-z", "language"),
        Column("side", "Side", "side", "side-z", "split"),
        Column("source", "Source", "source", "source-z", "source"),
        Column("person", "Changed by", "person", "person-z", "person"),
        Column("changed", "Changed", "changed", "changed-first", "updated_at"),
        Column("tags", "Tags", "tag", "tag-z", "tags"),
        Column("status", "Status", "status", "status-z", "status"),
    )
}
SHOWN = "turns,quality,status"
NO_COLUMNS = "-"


def read_columns(written: list[str]) -> str:
    """Return the columns that an address names, in the order of the table."""
    named = {name for part in written for name in part.split(",")}
    if not named:
        return SHOWN
    return ",".join(name for name in CHOICE if name in named) or NO_COLUMNS


def columns_of(chosen: str) -> list[Column]:
    return [CHOICE[name] for name in chosen.split(",") if name in CHOICE]


def head_of(column: Column, rows: Any) -> Head:
    """Return the head of a column; clicked again it turns the order around."""
    ways = {column.order: "ascending", column.back: "descending"}
    wanted = column.back if rows.sort == column.order else column.order
    return Head(column, rows.query(sort=wanted), ways.get(rows.sort, ""))
