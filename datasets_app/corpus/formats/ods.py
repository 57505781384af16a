"""OpenDocument workbooks: each sheet is a table of its own, read like a CSV file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, attribute, local, number
from datasets_app.corpus.formats import sheets
from datasets_app.corpus.formats.format import Archive, Document, Format, Reader
from datasets_app.corpus.formats.opendocument import CONTENT, hidden_styles, opened, words
from datasets_app.corpus.formats.sheets import (
    LAST_COLUMN,
    LAST_ROW,
    Cell,
    SheetRow,
    in_one_line,
    refuse_large,
    refuse_many,
)

SPAN = re.compile(r"\APT(?:(\d{1,6})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:[.,]\d{1,12})?S)?\Z")
UNSEEN = frozenset({"collapse", "filter"})
NUMBERS = frozenset({"float", "percentage", "currency"})
MIDNIGHT = "T00:00:00"


def list_sheets(file: BinaryIO, out: Out, _name: str, _packing: str) -> None:
    """Tell the sheets of a workbook, a hidden one with a reason."""
    package = opened(file, out)
    hidden = hidden_styles(package, "table", "display", "false")
    found = [
        (attribute(element, "name"), attribute(element, "style-name") in hidden)
        for tag, element in _walk(package)
        if tag == "table"
    ]
    refuse_many(len(found))
    size = package.members[CONTENT].size
    refuse_large(size * len(found))
    for section, (title, is_hidden) in enumerate(found, 1):
        reason = "hidden_sheet" if is_hidden else ""
        out.section(title or f"Sheet {section}", section, size // len(found), reason)


def extract(file: BinaryIO, out: Out, section: int) -> None:
    """Tell the rows of one sheet as lines of CSV; row 7 of the sheet is line 7."""
    package = opened(file, out)
    seen = 0
    for tag, element in (walk := _walk(package)):
        seen += tag == "table"
        if seen == section:
            sheets.tell(out, attribute(element, "name"), _rows(walk))
            return


def _walk(package: Package) -> Iterator[tuple[str, Element]]:
    """Yield where each sheet begins, as `table`, and its rows, as `row`."""
    around: list[tuple[str, Element]] = []
    for event, element in package.xml(CONTENT):
        tag = local(element.tag)
        if event == "start":
            if tag == "table" and around and around[-1][0] == "spreadsheet":
                yield "table", element
            around.append((tag, element))
            continue
        around.pop()
        if tag == "table-row" and [name for name, _ in around].count("table") == 1:
            yield "row", element
            around[-1][1].clear()  # with the row: a sheet may have a million of them


def _rows(walk: Iterator[tuple[str, Element]]) -> Iterator[SheetRow]:
    """Yield the rows of one sheet that hold anything."""
    at = 0
    for tag, element in walk:
        if tag == "table":
            return
        times = max(1, number(attribute(element, "number-rows-repeated")))
        cells = _cells(element)
        is_hidden = attribute(element, "visibility") in UNSEEN
        if cells and at + times > LAST_ROW:
            yield SheetRow(LAST_ROW + 1, cells, is_hidden)  # which is refused
        for row in range(at + 1, at + times + 1) if cells else ():
            yield SheetRow(row, cells, is_hidden)
        at += times


def _cells(row: Element) -> list[Cell]:
    """Return the cells of a row up to the last that shows anything."""
    cells: list[Cell] = []
    empty = 0
    for element in row:
        if local(element.tag) not in {"table-cell", "covered-table-cell"}:
            continue
        times = max(1, number(attribute(element, "number-columns-repeated")))
        cell = _cell(element)
        if cell == Cell():
            empty += times
            continue
        if len(cells) + empty + times > LAST_COLUMN:
            return [cell] * (LAST_COLUMN + 1)  # which is refused
        cells += [Cell()] * empty + [cell] * times
        empty = 0
    return cells


def _cell(element: Element) -> Cell:
    kind = attribute(element, "value-type")
    shown = "\n".join(words(child) for child in element if local(child.tag) == "p")
    if _is_error(element):
        return Cell(reason="error_value")
    if not kind and not shown.strip():
        is_formula = bool(attribute(element, "formula"))
        return Cell(reason="no_value") if is_formula else Cell()
    return Cell(in_one_line(_value(element, kind) or shown))


def _is_error(element: Element) -> bool:
    """Say whether LibreOffice notes beside an empty text that the cell holds an error."""
    kinds = [held for key, held in element.items() if local(key) == "value-type"]
    return "error" in kinds


def _value(element: Element, kind: str) -> str:
    """Return what a cell holds as other workbooks give it; "" for a text."""
    if kind in NUMBERS:
        try:
            return f"{float(attribute(element, 'value')):.15g}"
        except ValueError:
            return ""
    if kind == "date":
        return attribute(element, "date-value").removesuffix(MIDNIGHT).replace("T", " ")
    if kind == "time":
        found = SPAN.match(attribute(element, "time-value"))
        hours, minutes, seconds = (
            (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        )
        return f"{hours:02}:{minutes:02}:{seconds:02}" if found else ""
    return attribute(element, "boolean-value").upper() if kind == "boolean" else ""


SHEET = Format(
    kind="ods_sheet",
    name="a sheet of an OpenDocument workbook",
    document=Document(extract, "row"),
    reader=Reader("sheet", 5, sheets.read, sheets.ask, is_table=True),
)
FORMAT = Format(
    kind="ods",
    name="an OpenDocument workbook",
    endings=("ods",),
    mimetype=b"application/vnd.oasis.opendocument.spreadsheet",
    archive=Archive(list_sheets, sections=SHEET.kind),
)
