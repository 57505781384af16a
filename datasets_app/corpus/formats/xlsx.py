"""Excel workbooks: each sheet is a table of its own, read like a CSV file.

Formulas give the values that were stored with them; macros are never looked at. Cells that hold
an error or a formula that was never computed are empty, and the row says so.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, local, xml_faults
from datasets_app.corpus.formats import table
from datasets_app.corpus.formats.format import Archive, Document, Format, Reader
from datasets_app.corpus.parsing.tables import Layout
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item, Record, Waiting

if TYPE_CHECKING:
    from openpyxl import Workbook

LAYOUT = Layout(",", columns=1, agreement=1.0, records=1)
LAST_ROW, LAST_COLUMN = 1 << 20, 1 << 14
MOST_SHEETS = 1_000
MOST_READ = 4 << 30
AGAIN = "Open it, save it again and upload that."
BOOK = re.compile(r"\A(?:.*/)?workbook\d{0,3}\.xml", re.IGNORECASE)
STRINGS = re.compile(r"\A(?:.*/)?sharedStrings\d{0,3}\.xml", re.IGNORECASE)
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
PART = re.compile(rb"xl/(?:workbook|worksheets/sheet\d{1,5})\.xml")
LINE_BREAK = "\u2028"
"""What a line break inside a cell is in the text, so that a line of it is a row of the sheet."""


def list_sheets(file: BinaryIO, out: Out, _name: str, _packing: str) -> None:
    """Tell the sheets of a workbook; a sheet of one chart holds nothing to read.

    A hidden sheet is told with a reason: a person says whether it is wanted. Each sheet is read
    by a child of its own, so what all of them will cost together is judged here.
    """
    package = Package.checked(file, out.meter)
    _refuse_many(_count_sheets(package))
    sizes = {name: entry.size for name, entry in package.members.items()}
    strings = max((size for name, size in sizes.items() if STRINGS.fullmatch(name)), default=0)
    workbook = _opened(file)
    sheets: Any = workbook.worksheets
    paths = [sheet._worksheet_path.lstrip("/") for sheet in sheets]  # noqa: SLF001
    _refuse_many(len(paths))
    if len(set(paths)) < len(paths):
        raise ArchiveStop("bad_document", f"Two sheets show the same rows. {AGAIN}")
    if sum(sizes.get(path, 0) + strings for path in paths) > MOST_READ:
        message = f"Its sheets hold more than {MOST_READ:,} bytes to read. Save them one by one."
        raise ArchiveStop("total_cap", message)
    for number, (sheet, path) in enumerate(zip(sheets, paths, strict=True), 1):
        reason = "" if sheet.sheet_state == "visible" else "hidden_sheet"
        out.section(sheet.title, number, sizes.get(path, 0), reason)
    for chart in workbook.chartsheets:
        out.list(chart.title, "skipped", "no_table")


def _count_sheets(package: Package) -> int:
    """Return how many sheets are stated, before a library looks at each of them."""
    books = [name for name in package.members if BOOK.fullmatch(name)]
    tags = (local(tag.tag) for name in books for kind, tag in package.xml(name) if kind == "end")
    return sum(1 for tag in tags if tag == "sheet")


def _refuse_many(count: int) -> None:
    if count > MOST_SHEETS:
        message = f"It has {count:,} sheets; up to {MOST_SHEETS:,} are read. Save them in parts."
        raise ArchiveStop("too_many", message)


def extract(file: BinaryIO, out: Out, section: int) -> None:
    """Tell the rows of one sheet as lines of CSV; row 7 of the sheet is line 7."""
    Package.checked(file, out.meter)
    sheet: Any = _opened(file).worksheets[section - 1]
    at = width = 0
    for number, cells, is_hidden in _rows(sheet):
        if number <= at or number > LAST_ROW or len(cells) > LAST_COLUMN:
            message = f"Row {number:,} stands where a sheet has no place for it. {AGAIN}"
            raise ArchiveStop("bad_document", message)
        texts = [cell.text for cell in cells]
        reason = next((cell.reason for cell in cells if cell.reason), "")
        while texts and not texts[-1]:
            texts.pop()
        place = f"{sheet.title}!A{number}:{_letters(len(texts or cells))}{number}"
        if not texts:
            if reason:
                out.part("", place, reason)
            continue
        out.part("\n" * (number - at - 1), "")
        at = number
        width = width or len(texts)  # as the header's
        texts += [""] * (width - len(texts))
        place = f"{sheet.title}!A{number}:{_letters(len(texts))}{number}"
        out.part(_line(texts), place, reason or ("hidden_row" if is_hidden else ""))


class _Cell(NamedTuple):
    text: str = ""
    reason: str = ""


def _rows(sheet: Any) -> Iterator[tuple[int, list[_Cell], bool]]:
    """Yield the rows that are there: number, cells from column A on, and whether it is hidden.

    The library's own way would fill every row that is missing, up to any number a file states.
    """
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser  # noqa: PLC0415

    class Parser(WorkSheetParser):  # type: ignore[misc,unused-ignore]
        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                cell["data_type"] = "never computed"
            return cell

    book = sheet.parent
    with xml_faults(sheet.title), sheet._get_source() as source:  # noqa: SLF001
        parser = Parser(
            source,
            sheet._shared_strings,  # noqa: SLF001
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )
        for number, found in parser.parse():
            options = parser.row_dimensions.pop(str(number), {})
            yield number, _cells(found), options.get("hidden") in {"1", "true"}


def _cells(found: list[dict[str, Any]]) -> list[_Cell]:
    columns = {cell["column"]: _cell(cell) for cell in found}
    last = min(max(columns, default=0), LAST_COLUMN + 1)
    return [columns.get(column, NOTHING) for column in range(1, last + 1)]


def _cell(cell: dict[str, Any]) -> _Cell:
    if cell["data_type"] == "never computed":
        return _Cell(reason="no_value")
    if cell["data_type"] == "e":
        return _Cell(reason="error_value")
    return _Cell(_text(cell["value"]))


NOTHING = _Cell()


def _opened(file: BinaryIO) -> Workbook:
    """Open a workbook row by row; what it links to is not followed."""
    os.environ["OPENPYXL_LXML"] = "False"  # one parser everywhere, and that one is defusedxml
    from openpyxl import load_workbook  # noqa: PLC0415 - only the child loads it

    file.seek(0)
    with xml_faults("workbook"):
        try:
            return load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except ValueError as error:  # the library puts a sentence of its own around each
            raise error.__cause__ or error from None


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
    text = f"{value:.15g}" if isinstance(value, float) else ESCAPED.sub(_unescaped, str(value))
    return text.strip().replace("\r\n", "\n").replace("\r", "\n").replace("\n", LINE_BREAK)


def _unescaped(found: re.Match[str]) -> str:
    """Return the sign that Office writes as its number, as it does with a carriage return."""
    sign = chr(int(found[1], 16))
    return found[0] if "\ud800" <= sign <= "\udfff" else sign


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


def _as_extracted(job: Job) -> Job:
    """Divide the cells as `extract` does, whatever sign a person chose for a sheet."""
    sign = LAYOUT.delimiter
    mapping = replace(job.mapping, delimiter=sign) if job.mapping else None
    return replace(job, layout=LAYOUT, mapping=mapping)


SHEET = Format(
    kind="sheet",
    name="a sheet of a workbook",
    document=Document(extract, "row"),
    reader=Reader("sheet", 4, read, ask, is_table=True),
)
FORMAT = Format(
    kind="xlsx",
    name="an Excel workbook",
    endings=("xlsx", "xlsm"),
    in_zip=lambda members: any(PART.fullmatch(name) for name in members),
    archive=Archive(list_sheets, sections=SHEET.kind),
)
