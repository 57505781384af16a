"""Excel workbooks: each sheet is a table of its own, read like a CSV file.

Formulas give the values that were stored with them; macros are never looked at. Cells that hold
an error or a formula that was never computed are empty, and the row says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, local, xml_faults
from datasets_app.corpus.formats import sheets
from datasets_app.corpus.formats.format import Archive, Document, Format, Reader
from datasets_app.corpus.formats.sheets import (
    AGAIN,
    LAST_COLUMN,
    Cell,
    SheetRow,
    in_one_line,
    refuse_large,
    refuse_many,
)

if TYPE_CHECKING:
    from openpyxl import Workbook

BOOK = re.compile(r"\A(?:.*/)?workbook\d{0,3}\.xml", re.IGNORECASE)
STRINGS = re.compile(r"\A(?:.*/)?sharedStrings\d{0,3}\.xml", re.IGNORECASE)
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
PART = re.compile(rb"xl/(?:workbook|worksheets/sheet\d{1,5})\.xml")


def list_sheets(file: BinaryIO, out: Out, _name: str, _packing: str) -> None:
    """Tell the sheets of a workbook; a sheet of one chart holds nothing to read.

    A hidden sheet is told with a reason: a person says whether it is wanted. Each sheet is read
    by a child of its own, so what all of them will cost together is judged here.
    """
    package = Package.checked(file, out.meter)
    refuse_many(_count_sheets(package))
    sizes = {name: entry.size for name, entry in package.members.items()}
    strings = max((size for name, size in sizes.items() if STRINGS.fullmatch(name)), default=0)
    workbook = _opened(file)
    found: Any = workbook.worksheets
    paths = [sheet._worksheet_path.lstrip("/") for sheet in found]  # noqa: SLF001
    refuse_many(len(paths))
    if len(set(paths)) < len(paths):
        raise ArchiveStop("bad_document", f"Two sheets show the same rows. {AGAIN}")
    refuse_large(sum(sizes.get(path, 0) + strings for path in paths))
    for number, (sheet, path) in enumerate(zip(found, paths, strict=True), 1):
        reason = "" if sheet.sheet_state == "visible" else "hidden_sheet"
        out.section(sheet.title, number, sizes.get(path, 0), reason)
    for chart in workbook.chartsheets:
        out.list(chart.title, "skipped", "no_table")


def _count_sheets(package: Package) -> int:
    """Return how many sheets are stated, before a library looks at each of them."""
    books = [name for name in package.members if BOOK.fullmatch(name)]
    tags = (local(tag.tag) for name in books for kind, tag in package.xml(name) if kind == "end")
    return sum(1 for tag in tags if tag == "sheet")


def extract(file: BinaryIO, out: Out, section: int) -> None:
    """Tell the rows of one sheet as lines of CSV; row 7 of the sheet is line 7."""
    Package.checked(file, out.meter)
    sheet: Any = _opened(file).worksheets[section - 1]
    sheets.tell(out, sheet.title, _rows(sheet))


def _rows(sheet: Any) -> Iterator[SheetRow]:
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
            yield SheetRow(number, _cells(found), options.get("hidden") in {"1", "true"})


def _cells(found: list[dict[str, Any]]) -> list[Cell]:
    columns = {cell["column"]: _cell(cell) for cell in found}
    last = min(max(columns, default=0), LAST_COLUMN + 1)
    return [columns.get(column, NOTHING) for column in range(1, last + 1)]


def _cell(cell: dict[str, Any]) -> Cell:
    if cell["data_type"] == "never computed":
        return Cell(reason="no_value")
    if cell["data_type"] == "e":
        return Cell(reason="error_value")
    return Cell(_text(cell["value"]))


NOTHING = Cell()


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
    return in_one_line(text)


def _unescaped(found: re.Match[str]) -> str:
    """Return the sign that Office writes as its number, as it does with a carriage return."""
    sign = chr(int(found[1], 16))
    return found[0] if "\ud800" <= sign <= "\udfff" else sign


SHEET = Format(
    kind="sheet",
    name="a sheet of a workbook",
    document=Document(extract, "row"),
    reader=Reader("sheet", 5, sheets.read, sheets.ask, is_table=True),
)
FORMAT = Format(
    kind="xlsx",
    name="an Excel workbook",
    endings=("xlsx", "xlsm"),
    in_zip=lambda members: any(PART.fullmatch(name) for name in members),
    archive=Archive(list_sheets, sections=SHEET.kind),
)
