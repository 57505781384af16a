"""Workbooks: a sheet is a table like any other, with sheet and cells as its place."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart

from datasets_app.corpus.archives.limits import ArchiveLimits, ArchiveStop, Meter
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.unpack import unpack
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.formats import sheets, xlsx
from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.readers.reading import Asked, columns_of_section
from datasets_app.corpus.source import Mapping, Problem, WaitingError
from tests.datasets_app.office import changed, packed, saved, workbook

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_row_becomes_a_conversation_with_its_cells_as_place(read_doc):
    rows = [*PAIRS, [], ["Two\nlines?", 'He said "so", really.'], [1, 2.50, True, "more"]]
    found = read_doc(workbook(First=[["x"]], Faq=rows), kind="sheet", section=2)
    assert found.talks == [
        [("user", "Open?"), ("assistant", "Yes.")],
        [("user", "Two\nlines?"), ("assistant", 'He said "so", really.')],
        [("user", "1"), ("assistant", "2.5")],
    ]
    assert [record.place for record in found.records] == ["Faq!A2:C2", "Faq!A4:C4", "Faq!A5:D5"]
    assert [record.meta.get("since") for record in found.records] == ["2024-05-01", None, "TRUE"]
    assert (found.tally.loaded, found.tally.skipped, found.tally.failed) == (3, 1, 0)
    (spare,) = [item for item in found.items if getattr(item, "code", "") == "ragged_row"]
    assert spare.message.startswith("Line 5 ")  # the row of the sheet


@pytest.mark.slow
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


def sheet(*rows: str) -> bytes:
    """Return a workbook whose one sheet has this XML as its rows."""
    xml = f"<worksheet {MAIN}><sheetData>{''.join(rows)}</sheetData></worksheet>"
    return changed(workbook(A=[["text"]]), "xl/worksheets/sheet1.xml", xml.encode())


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{text_cell("A1", "text")}</row>'


@pytest.mark.slow
def test_a_formula_gives_the_value_that_was_stored_and_is_counted_without_one(read_doc):
    stored = '<row r="2"><c r="A2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>'
    lost = '<row r="3"><c r="A3"><f>1+1</f></c></row>'
    found = read_doc(sheet(HEADER, stored, lost), kind="sheet", section=1)
    assert found.text == "ab"
    assert (found.tally.loaded, found.tally.skipped) == (1, 2)  # the header, and what is lost


@pytest.mark.slow
def test_cells_without_a_value_say_so_beside_the_others_of_their_row(read_doc):
    header = f'<row r="1">{text_cell("A1", "text")}{text_cell("B1", "price")}</row>'
    error = f'<row r="2">{text_cell("A2", "hat")}<c r="B2" t="e"><v>#N/A</v></c></row>'
    lost = f'<row r="3">{text_cell("A3", "shoe")}<c r="B3"><f>1+1</f></c></row>'
    found = read_doc(sheet(header, error, lost), kind="sheet", section=1)
    assert [
        (talk[0][1], record.meta) for talk, record in zip(found.talks, found.records, strict=True)
    ] == [("hat", {}), ("shoe", {})]
    remarks = [item for item in found.items if isinstance(item, Problem)]
    assert [(item.code, item.line, item.place, item.end - item.start) for item in remarks] == [
        ("error_value", 2, "A!A2:B2", 0),
        ("no_value", 3, "A!A3:B3", 0),
    ]
    assert found.tally.loaded == 2


@pytest.mark.slow
def test_times_and_durations_are_read_as_people_write_them(read_doc):
    book = openpyxl.Workbook()
    book.active.append(["text", "time", "moment", "span"])
    book.active.append(
        ["a", time(9, 30), datetime.fromisoformat("2024-05-01 09:30"), timedelta(hours=26)]
    )
    found = read_doc(saved(book), kind="sheet", section=1)
    assert found.records[0].meta == {
        "time": "09:30:00",
        "moment": "2024-05-01 09:30:00",
        "span": "1 day, 2:00:00",
    }


@pytest.mark.slow
def test_signs_that_office_writes_as_numbers_are_signs_again(read_doc):
    row = f'<row r="2">{text_cell("A2", "one_x000D_&#10;two_x0009_three _xD800_ _xyz_")}</row>'
    found = read_doc(sheet(HEADER, row), kind="sheet", section=1)
    assert found.text == "one\ntwo\tthree _xD800_ _xyz_"


@pytest.mark.slow
def test_a_hidden_row_is_loaded_with_a_remark(read_doc):
    row = f'<row r="2" hidden="1">{text_cell("A2", "unseen")}</row>'
    found = read_doc(sheet(HEADER, row), kind="sheet", section=1)
    assert found.text == "unseen"
    assert found.codes == ["hidden_row"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        f'<row r="99999999999">{text_cell("A2", "x")}</row>',
        f'<row r="1048577">{text_cell("A1048577", "x")}</row>',
        f'<row r="2">{text_cell("XFE2", "x")}</row>',
        f'<row r="1">{text_cell("A1", "again")}</row>',
    ],
)
def test_a_row_where_no_sheet_has_one_is_refused_at_once(read_doc, row):
    with pytest.raises(ChildError, match="no place for it") as refused:
        read_doc(sheet(HEADER, row), kind="sheet", section=1)
    assert refused.value.code == "bad_document"


@pytest.mark.slow
def test_empty_cells_between_the_first_column_and_the_last_are_kept_nowhere(read_doc):
    rows = (
        f'<row r="{n}">{text_cell(f"A{n}", "x")}{text_cell(f"XFD{n}", "y")}</row>'
        for n in range(2, 40)
    )
    found = read_doc(sheet(HEADER, *rows), kind="sheet", section=1)
    assert len(found.records) == 38
    assert all(record.meta == {"spare cells": "y"} for record in found.records)


@pytest.mark.slow
def test_a_sheet_that_grows_without_end_is_stopped(read_doc, monkeypatch):
    limits = ArchiveLimits(text_ratio_from=1 << 20)
    monkeypatch.setattr(ArchiveLimits, "of_document", classmethod(lambda _: limits))
    rows = (f'<row r="{n}">{text_cell(f"XFD{n}", "y")}</row>' for n in range(2, 600))
    with pytest.raises(ChildError, match="grows more than 1,000 times") as stopped:
        read_doc(sheet(HEADER, *rows), kind="sheet", section=1)
    assert stopped.value.code == "ratio"


def with_sheets(count: int, part: str = "rId1") -> bytes:
    """Return a workbook that states so many sheets, all of which show one part."""
    stated = "".join(
        f'<sheet name="S{n}" sheetId="{n}" r:id="{part}"/>' for n in range(1, count + 1)
    )
    relations = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    xml = f"<workbook {MAIN} {relations}><sheets>{stated}</sheets></workbook>"
    return changed(workbook(A=PAIRS), "xl/workbook.xml", xml.encode())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "code"), [(2, "bad_document"), (1_000, "bad_document"), (20_000, "too_many")]
)
def test_sheets_without_number_or_of_the_same_rows_are_refused(sheets_of, count, code):
    with pytest.raises(ChildError) as refused:
        sheets_of(with_sheets(count))
    assert refused.value.code == code


@pytest.mark.slow
def test_sheets_that_all_read_the_same_strings_again_share_one_budget(sheets_of, monkeypatch):
    data = workbook(**{f"S{n}": PAIRS for n in range(20)})
    with zipfile.ZipFile(BytesIO(data)) as book:
        members = {name: book.read(name) for name in book.namelist()}
    strings = f"<sst {MAIN}><si><t>{'word ' * 2_000}</t></si></sst>"
    data = packed({**members, "xl/sharedStrings.xml": strings})
    assert len(sheets_of(data)) == 20
    monkeypatch.setattr(sheets, "MOST_READ", 20 * len(strings))
    with pytest.raises(ArchiveStop, match="Save them one by one"):
        xlsx.list_sheets(BytesIO(data), Out(Path(), StringIO(), Meter(ArchiveLimits())), "", "")


@pytest.mark.slow
def test_a_hidden_sheet_is_offered(sheets_of):
    book = openpyxl.Workbook()
    book.create_sheet("Notes").sheet_state = "veryHidden"
    found = sheets_of(saved(book))
    assert [(sheet.verdict, sheet.reason) for sheet in found] == [
        ("ok", ""),
        ("ok", "hidden_sheet"),
    ]


@pytest.mark.slow
def test_a_sheet_that_says_it_is_endless_is_as_long_as_its_rows(read_doc):
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active["XFD5000"] = "last"
    found = read_doc(saved(book), kind="sheet", section=1)
    assert found.records[-1].place.endswith("XFD5000")
    assert found.tally.total == 2


@pytest.mark.slow
def test_a_workbook_that_was_cut_short_says_so(sheets_of):
    data = workbook(A=PAIRS)
    with pytest.raises(ChildError, match="damaged"):
        sheets_of(data[: len(data) * 2 // 3])


@pytest.mark.slow
@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_entities_in_a_workbook_are_refused(read_doc, member):
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">]><x>&a;</x>'
    data = changed(workbook(A=PAIRS), member, bomb.encode())
    with pytest.raises(ChildError, match="entities of its own"):
        read_doc(data, kind="sheet", section=1)


@pytest.mark.slow
def test_a_workbook_that_grows_too_far_is_refused(sheets_of):
    data = changed(workbook(A=PAIRS), "xl/styles.xml", b" " * (64 << 20))
    with pytest.raises(ChildError, match="grow far more"):
        sheets_of(data)
