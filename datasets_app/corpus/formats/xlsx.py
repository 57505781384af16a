"""Excel workbooks: each sheet is a table of its own, read like a CSV file.

Formulas give the values that were stored with them; macros are never looked at.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package
from datasets_app.corpus.formats import table
from datasets_app.corpus.formats.format import Archive, Document, Format, Reader
from datasets_app.corpus.parsing.tables import Layout
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item, Record, Waiting

if TYPE_CHECKING:
    from openpyxl import Workbook

LAYOUT = Layout(",", columns=1, agreement=1.0, records=1)
PART = re.compile(rb"xl/(?:workbook|worksheets/sheet\d{1,5})\.xml")
LINE_BREAK = "\u2028"
"""What a line break inside a cell is in the text, so that a line of it is a row of the sheet."""


def list_sheets(file: BinaryIO, out: Out, _name: str, _packing: str) -> None:
    """Tell the sheets of a workbook; a sheet of one chart holds nothing to read."""
    sizes = {name: entry.size for name, entry in Package.checked(file, out.meter).members.items()}
    workbook = _opened(file)
    for number, sheet in enumerate(workbook.worksheets, 1):
        path = sheet._worksheet_path  # type: ignore[attr-defined]  # noqa: SLF001
        out.section(sheet.title, number, sizes.get(path.lstrip("/"), 0))
    for chart in workbook.chartsheets:
        out.list(chart.title, "skipped", "no_table")


def extract(file: BinaryIO, out: Out, section: int) -> None:
    """Tell the rows of one sheet as lines of CSV; row 7 of the sheet is line 7."""
    Package.checked(file, out.meter)
    sheet: Any = _opened(file).worksheets[section - 1]
    sheet.reset_dimensions()  # they may be stated far too large
    width = blanks = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            blanks += 1
            continue
        out.part("\n" * blanks, "")
        blanks = 0
        width = width or len(cells)  # as the header's
        cells += [""] * (width - len(cells))
        out.part(_line(cells), f"{sheet.title}!A{number}:{_letters(len(cells))}{number}")


def _opened(file: BinaryIO) -> Workbook:
    """Open a workbook row by row; what it links to is not followed."""
    os.environ["OPENPYXL_LXML"] = "False"  # one parser everywhere, and that one is defusedxml
    from openpyxl import load_workbook  # noqa: PLC0415 - only the child loads it

    file.seek(0)
    return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _letters(column: int) -> str:
    """Return what a spreadsheet calls a column: A to Z, then AA."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        is_day = value.time() == time()
        return value.date().isoformat() if is_day else value.isoformat(" ", "seconds")
    if isinstance(value, date | time | timedelta):
        return str(value)
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    return text.strip().replace("\r\n", "\n").replace("\r", "\n").replace("\n", LINE_BREAK)


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
    meta = {name: cell.replace(LINE_BREAK, "\n") for name, cell in record.meta.items()}
    return replace(record, turns=turns, meta=meta)


def ask(job: Job) -> Waiting | None:
    """Return what a person who chooses the columns of a sheet anew is shown."""
    return table.ask(_as_extracted(job))


def _as_extracted(job: Job) -> Job:
    """Divide the cells as `extract` does, whatever sign a person chose for a sheet."""
    sign = LAYOUT.delimiter
    mapping = replace(job.mapping, delimiter=sign) if job.mapping else None
    return replace(job, layout=LAYOUT, mapping=mapping)


SHEET = Format(
    kind="sheet",
    name="a sheet of a workbook",
    document=Document(extract, "row"),
    reader=Reader("sheet", 1, read, ask),
)
FORMAT = Format(
    kind="xlsx",
    name="an Excel workbook",
    endings=("xlsx", "xlsm"),
    in_zip=lambda members: any(PART.fullmatch(name) for name in members),
    archive=Archive(list_sheets, sections=SHEET.kind),
)
