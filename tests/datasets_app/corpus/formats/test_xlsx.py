"""Workbooks: a sheet is a table like any other, with sheet and cells as its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from openpyxl.chart import BarChart

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.unpack import unpack
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.readers.reading import Asked, columns_of_section
from datasets_app.corpus.source import Mapping, WaitingError
from tests.datasets_app.office import changed, saved, workbook

PAIRS = [["question", "answer", "since"], ["Open?", "Yes.", date(2024, 5, 1)]]


@pytest.fixture
def sheets_of(tmp_path):
    """Return a function that lists the sheets of a workbook."""
    into = tmp_path / "into"
    into.mkdir()

    def listed(data: bytes):
        path = tmp_path / "book"
        path.write_bytes(data)
        found = identify(path, "a.xlsx")
        assert found.kind == "xlsx"
        return list(unpack(path, found.format.archive, into, ArchiveLimits(), bool))

    return listed


def test_each_sheet_is_a_file_of_its_own(sheets_of):
    book = openpyxl.Workbook()
    book.active.title = "Prices"
    book.create_sheet("Ärger & Lob")
    book.create_chartsheet("Curve").add_chart(BarChart())
    found = sheets_of(saved(book))
    assert [(sheet.name, sheet.section, sheet.verdict, sheet.reason) for sheet in found] == [
        ("Prices", 1, "ok", ""),
        ("Ärger & Lob", 2, "ok", ""),
        ("Curve", 0, "skipped", "no_table"),
    ]
    assert found[0].size > 0


def test_a_row_becomes_a_conversation_with_its_cells_as_place(read_doc):
    rows = [*PAIRS, [], ["Two\nlines?", 'He said "so", really.'], [1, 2.50, True, "more"]]
    found = read_doc(workbook(First=[["x"]], Faq=rows), kind="sheet", section=2)
    assert found.talks == [
        [("user", "Open?"), ("assistant", "Yes.")],
        [("user", "Two\nlines?"), ("assistant", 'He said "so", really.')],
        [("user", "1"), ("assistant", "2.5")],
    ]
    assert [record.place for record in found.records] == ["Faq!A2:C2", "Faq!A4:C4", "Faq!A5:D5"]
    assert [record.meta["since"] for record in found.records] == ["2024-05-01", "", "TRUE"]
    assert (found.tally.loaded, found.tally.skipped, found.tally.failed) == (3, 1, 0)
    (spare,) = [item for item in found.items if getattr(item, "code", "") == "ragged_row"]
    assert spare.message.startswith("Line 5 ")  # the row of the sheet


def test_unknown_columns_are_asked_for_and_then_read(read_doc, tmp_path):
    data = workbook(A=[["was", "dann"], ["Wann?", "Um neun."], ["Wo?", "Hier."]])
    with pytest.raises(WaitingError) as error:
        read_doc(data, kind="sheet", section=1)
    assert error.value.waiting.columns == ("was", "dann")
    assert error.value.waiting.rows[0] == ("Wann?", "Um neun.")
    mapping = Mapping(question="was", answer="dann", delimiter=";")
    found = read_doc(data, kind="sheet", section=1, mapping=mapping)
    assert found.talks[1] == [("user", "Wo?"), ("assistant", "Hier.")]
    again = columns_of_section(tmp_path / "blob", "sheet", Asked(1, mapping))
    assert again.suggested == replace(mapping, delimiter=",")


def test_a_formula_gives_the_value_that_was_stored(read_doc):
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["=1+1"])
    book.active.append(["plain"])
    assert read_doc(saved(book), kind="sheet", section=1).text == "plain"  # never computed


def test_a_sheet_that_says_it_is_endless_is_as_long_as_its_rows(read_doc):
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active["XFD5000"] = "last"
    found = read_doc(saved(book), kind="sheet", section=1)
    assert found.records[-1].place.endswith("XFD5000")
    assert found.tally.total == 2


def test_a_workbook_that_was_cut_short_says_so(sheets_of):
    data = workbook(A=PAIRS)
    with pytest.raises(ChildError, match="damaged"):
        sheets_of(data[: len(data) * 2 // 3])


@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_entities_in_a_workbook_are_refused(read_doc, member):
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">]><x>&a;</x>'
    data = changed(workbook(A=PAIRS), member, bomb.encode())
    with pytest.raises(ChildError, match="could not be read to its end"):
        read_doc(data, kind="sheet", section=1)


def test_a_workbook_that_grows_too_far_is_refused(sheets_of):
    data = changed(workbook(A=PAIRS), "xl/styles.xml", b" " * (64 << 20))
    with pytest.raises(ChildError, match="grow far more"):
        sheets_of(data)
