"""OpenDocument: sheets are tables like any other, texts are read like Word documents."""

from __future__ import annotations

import pytest

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.unpack import unpack
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.limited.run import ChildError
from tests.datasets_app.office import open_cell, open_document, open_sheet

HEAD = "<table:table-row><table:table-cell office:value-type='string'><text:p>question</text:p>"
HEAD += "</table:table-cell><table:table-cell office:value-type='string'><text:p>answer</text:p>"
HEAD += "</table:table-cell></table:table-row>"


def sheet(*rows: str) -> bytes:
    lines = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    body = f"<table:table table:name='Faq'>{HEAD}{lines}</table:table>"
    return open_document("spreadsheet", body)


def held(kind: str, value: str, shown: str = "x") -> str:
    name = {"float": "value", "percentage": "value", "currency": "value"}.get(kind, f"{kind}-value")
    told = f"office:value-type='{kind}' office:{name}='{value}'"
    return f"<table:table-cell {told}><text:p>{shown}</text:p></table:table-cell>"


@pytest.mark.slow
def test_each_sheet_is_a_file_and_a_hidden_one_is_asked_about(tmp_path):
    hiding = (
        "<style:style style:name='ta2' style:family='table'>"
        "<style:table-properties table:display='false'/></style:style>"
    )
    body = open_sheet("Prices & more".replace("&", "&amp;"), [["a"]])
    body += open_sheet("B", [["a"]], "table:style-name='ta2'")
    body += "<table:dde-links><table:table table:name='link'/></table:dde-links>"
    path, into = tmp_path / "book", tmp_path / "into"
    into.mkdir()
    path.write_bytes(open_document("spreadsheet", body, hiding))
    found = identify(path, "a.ods")
    assert found.kind == "ods"
    told = list(unpack(path, found.format.archive, into, ArchiveLimits(), bool))
    assert [(one.name, one.section, one.reason) for one in told] == [
        ("Prices & more", 1, ""),
        ("B", 2, "hidden_sheet"),
    ]


@pytest.mark.slow
def test_cells_give_what_other_workbooks_give(read_doc):
    rows = [
        ("date", "2024-05-01", "01.05.24", "2024-05-01"),
        ("date", "2024-05-01T10:30:00", "x", "2024-05-01 10:30:00"),
        ("time", "PT10H05M07S", "10:05", "10:05:07"),
        ("float", "0.30000000000000004", "0,3", "0.3"),
        ("currency", "12.5", "12,50 €", "12.5"),
        ("boolean", "true", "WAHR", "TRUE"),
    ]
    made = [
        open_cell(f"Q{n}?") + held(kind, value, shown)
        for n, (kind, value, shown, _) in enumerate(rows)
    ]
    found = read_doc(sheet(*made), "a.ods", "ods_sheet", section=1)
    assert found.talks == [
        [("user", f"Q{n}?"), ("assistant", wanted)] for n, (*_, wanted) in enumerate(rows)
    ]
    assert found.records[0].place == "Faq!A2:B2"


@pytest.mark.slow
def test_repeats_breaks_and_gaps_of_a_sheet_are_kept(read_doc):
    shown = (
        "<text:p>One<text:s text:c='2'/>two<text:line-break/>three</text:p><text:p>four</text:p>"
    )
    note = "<office:annotation><text:p>a comment</text:p></office:annotation>"
    answer = f"<table:table-cell office:value-type='string'>{note}{shown}</table:table-cell>"
    empty = "<table:table-cell table:number-columns-repeated='16384'/>"
    body = (
        f"<table:table table:name='Faq'>{HEAD}"
        f"<table:table-row table:number-rows-repeated='3'>{empty}</table:table-row>"
        f"<table:table-row table:visibility='filter'>{open_cell('Q?')}{answer}"
        f"{empty}</table:table-row>"
        f"<table:table-row table:number-rows-repeated='2'>{open_cell('R?')}{open_cell('Yes.')}"
        f"</table:table-row><table:table-row table:number-rows-repeated='1048570'>{empty}"
        "</table:table-row></table:table>"
    )
    found = read_doc(open_document("spreadsheet", body), "a.ods", "ods_sheet", section=1)
    assert [(record.place, record.turns[1].text) for record in found.records] == [
        ("Faq!A5:B5", "One  two\nthree\nfour"),
        ("Faq!A6:B6", "Yes."),
        ("Faq!A7:B7", "Yes."),
    ]
    assert found.codes == ["hidden_row"]


@pytest.mark.slow
def test_errors_and_formulas_without_a_value_are_empty_with_a_remark(read_doc):
    error = (
        "<table:table-cell table:formula='of:=X' office:value-type='string' "
        "office:string-value='' calcext:value-type='error'><text:p>#NAME?</text:p>"
        "</table:table-cell>"
    )
    bare = "<table:table-cell table:formula='of:=1+1'/>"
    found = read_doc(
        sheet(open_cell("A?") + error, open_cell("B?") + bare, open_cell("C?") + open_cell("Yes")),
        "a.ods", "ods_sheet", section=1,
    )  # fmt: skip
    assert {"error_value", "no_value"} <= set(found.codes)
    assert found.talks[-1] == [("user", "C?"), ("assistant", "Yes")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of_row", "cell"),
    [
        ("", open_cell("x", "table:number-columns-repeated='99999'")),
        ("table:number-rows-repeated='9999999'", open_cell("x")),
    ],
)
def test_a_small_sheet_cannot_grow_without_end(read_doc, of_row, cell):
    row = f"<table:table-row {of_row}>{cell}</table:table-row>"
    data = open_document("spreadsheet", f"<table:table table:name='A'>{row}</table:table>")
    with pytest.raises(ChildError, match="has no place for it"):
        read_doc(data, "a.ods", "ods_sheet", section=1)


def paragraph(text: str, more: str = "") -> str:
    return f"<text:p {more}>{text}</text:p>"


@pytest.mark.slow
def test_a_text_is_read_in_the_order_of_its_page(read_doc):
    hiding = "<style:style style:name='T1' style:family='text'><style:text-properties "
    hiding += "text:display='none'/></style:style>"
    deleted = "<text:tracked-changes><text:changed-region><text:deletion>"
    deleted += paragraph("Gone.") + "</text:deletion></text:changed-region></text:tracked-changes>"
    contents = f"<text:table-of-content>{paragraph('Lamps 1')}</text:table-of-content>"
    note = "<text:note><text:note-citation>1</text:note-citation><text:note-body>"
    note += paragraph("Made by hand.") + "</text:note-body></text:note>"
    comment = (
        f"<office:annotation><dc:creator>Max</dc:creator>{paragraph('Why?')}</office:annotation>"
    )
    box = f"<draw:frame><draw:text-box>{paragraph('In a box.')}</draw:text-box></draw:frame>"
    picture = "<draw:frame><draw:image/></draw:frame>"
    item = "<text:list-item>{}</text:list-item>"
    inner = f"<text:list>{item.format(paragraph('inner'))}</text:list>"
    listed = f"<text:list>{item.format(paragraph('first') + inner)}</text:list>"
    cells = "".join(
        f"<table:table-cell>{paragraph(text)}</table:table-cell>" for text in ("Size", "12 cm")
    )
    bright = f"They are{comment} <text:span>bright</text:span>{note},\n   and<text:tab/>warm."
    body = (
        deleted + contents
        + "<text:h text:outline-level='2'>Our<text:s/> <text:span>lamps</text:span></text:h>"
        + paragraph(bright)
        + paragraph(f"{box}{picture}Below the box.")
        + listed
        + f"<table:table><table:table-row>{cells}</table:table-row></table:table>"
        + paragraph("<text:span text:style-name='T1'>secret</text:span> end")
    )  # fmt: skip
    found = read_doc(open_document("text", body, hiding), "a.odt")
    assert found.text == (
        "## Our lamps\n\nThey are bright, and\twarm.\n\nIn a box.\n\nBelow the box.\n\n"
        "- first\n- inner\n\nSize | 12 cm\n\nsecret end\n\nMade by hand."
    )
    assert found.codes.count("hidden_text") == 1
    assert found.tally.skipped == 3  # a line of contents, a comment, a picture


@pytest.mark.slow
def test_lines_with_speakers_are_a_talk(read_doc):
    lines = ("Customer: Is it open?", "Agent: Yes, until six.", "Customer: Thank you.")
    found = read_doc(open_document("text", "".join(map(paragraph, lines * 2))), "a.odt")
    assert found.talks[0][:2] == [("user", "Is it open?"), ("assistant", "Yes, until six.")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "spreadsheet"])
def test_traps_and_locked_files_are_refused_in_a_sentence(read_doc, kind):
    name = {"text": "odt", "spreadsheet": "ods_sheet"}[kind]
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(ChildError, match="trap"):
        read_doc(open_document(kind, "&b;", head=bomb), kind=name, section=1)
    locked = "<m:manifest xmlns:m='urn:m'><m:file-entry><m:encryption-data/></m:file-entry>"
    locked += "</m:manifest>"
    data = open_document(kind, "", **{"META-INF/manifest.xml": locked})
    with pytest.raises(ChildError, match="password"):
        read_doc(data, kind=name, section=1)
