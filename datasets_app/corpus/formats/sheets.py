"""The rows of a sheet, whatever program wrote its workbook: each is told as a line of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.formats import table
from datasets_app.corpus.parsing.tables import Layout
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item, Record, Waiting

LAYOUT = Layout(",", columns=1, agreement=1.0, records=1)
LAST_ROW, LAST_COLUMN = 1 << 20, 1 << 14
MOST_SHEETS = 1_000
MOST_READ = 4 << 30
AGAIN = "Open it, save it again and upload that."
LINE_BREAK = "\u2028"
"""What a line break inside a cell is in the text, so that a line of it is a row of the sheet."""


class Cell(NamedTuple):
    """What a cell shows, and what is odd about it."""

    text: str = ""
    reason: str = ""


class SheetRow(NamedTuple):
    """A row of a sheet that is there: its number, its cells from column A on."""

    number: int
    cells: list[Cell]
    is_hidden: bool


def tell(out: Out, title: str, rows: Iterable[SheetRow]) -> None:
    """Tell the rows of one sheet as lines of CSV; row 7 of the sheet is line 7."""
    at = width = 0
    for number, cells, is_hidden in rows:
        if number <= at or number > LAST_ROW or len(cells) > LAST_COLUMN:
            message = f"Row {number:,} stands where a sheet has no place for it. {AGAIN}"
            raise ArchiveStop("bad_document", message)
        texts = [cell.text for cell in cells]
        reason = next((cell.reason for cell in cells if cell.reason), "")
        while texts and not texts[-1]:
            texts.pop()
        place = f"{title}!A{number}:{_letters(len(texts or cells))}{number}"
        if not texts:
            if reason:
                out.part("", place, reason)
            continue
        out.part("\n" * (number - at - 1), "")
        at = number
        width = width or len(texts)  # as the header's
        texts += [""] * (width - len(texts))
        place = f"{title}!A{number}:{_letters(len(texts))}{number}"
        out.part(_line(texts), place, reason or ("hidden_row" if is_hidden else ""))


def refuse_many(count: int) -> None:
    """Raise ArchiveStop for more sheets than are read."""
    if count > MOST_SHEETS:
        message = f"It has {count:,} sheets; up to {MOST_SHEETS:,} are read. Save them in parts."
        raise ArchiveStop("too_many", message)


def refuse_large(size: int) -> None:
    """Raise ArchiveStop where the sheets cost too much together: each is read by its own child."""
    if size > MOST_READ:
        message = f"Its sheets hold more than {MOST_READ:,} bytes to read. Save them one by one."
        raise ArchiveStop("total_cap", message)


def in_one_line(text: str) -> str:
    """Return what a cell shows without the breaks that would end its row."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n").replace("\n", LINE_BREAK)


def _letters(column: int) -> str:
    """Return what a spreadsheet calls a column: A to Z, then AA."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def read(job: Job) -> Iterator[Item]:
    """Yield the rows of a sheet as conversations or passages."""
    for item in table.read(_as_extracted(job)):
        yield _with_line_breaks(item) if isinstance(item, Record) else item


def _with_line_breaks(record: Record) -> Record:
    turns = tuple(replace(turn, text=turn.text.replace(LINE_BREAK, "\n")) for turn in record.turns)
    meta = {name: str(cell).replace(LINE_BREAK, "\n") for name, cell in record.meta.items()}
    return replace(record, turns=turns, meta=meta)


def ask(job: Job) -> Waiting | None:
    """Return what a person who chooses the columns of a sheet anew is shown."""
    return table.ask(_as_extracted(job))


def cells_of(job: Job) -> tuple[tuple[str, ...], Iterator[list[str]]]:
    """Return the columns of a sheet and its rows, as `table.cells_of` does of a table."""
    columns, rows = table.cells_of(_as_extracted(job))
    return columns, ([cell.replace(LINE_BREAK, "\n") for cell in row] for row in rows)


def _as_extracted(job: Job) -> Job:
    """Divide the cells as `extract` does, whatever sign a person chose for a sheet."""
    sign = LAYOUT.delimiter
    mapping = replace(job.mapping, delimiter=sign) if job.mapping else None
    return replace(job, layout=LAYOUT, mapping=mapping)
