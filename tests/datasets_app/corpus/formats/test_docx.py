"""Word documents: what is read of them, and what hostile and damaged ones say."""

from __future__ import annotations

import zipfile

import docx
import pytest

from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.source import REASONS, Problem
from tests.datasets_app.office import W, changed, ole, packed, paragraph, saved, word, written

BOMB = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
TRAPS = {
    "bomb": f'<!DOCTYPE x [<!ENTITY a0 "lol">{BOMB}]>',
    "file": '<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>',
    "host": '<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">',
}


@pytest.mark.slow
def test_headings_lists_and_tables_come_in_the_order_of_the_page(read_doc):
    document = docx.Document()
    document.add_heading("Heater manual", 1)
    document.add_paragraph("Open the valve before you start.")
    document.add_paragraph("warm", style="List Bullet")
    document.add_paragraph("cold", style="List Bullet")
    table = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    document.add_paragraph("The end.")
    found = read_doc(saved(document))
    assert found.text == (
        "# Heater manual\n\nOpen the valve before you start.\n\n- warm\n- cold\n\n"
        "cell 0 | cell 1\ncell 2 | cell 3\n\nThe end."
    )
    assert found.records[0].place == "paragraph 1 to paragraph 5"
    assert (found.tally.loaded, found.tally.total) == (7, 7)


@pytest.mark.slow
def test_a_talk_becomes_turns(read_doc):
    lines = ["Agent: How can I help you today?", "Customer: The heater is cold."] * 2
    found = read_doc(word("Call 17", *lines))
    (talk,) = found.talks
    assert [role for role, _ in talk] == ["assistant", "user"] * 2
    assert talk[1] == ("user", "The heater is cold.")


@pytest.mark.slow
def test_a_long_document_is_cut_between_its_paragraphs(read_doc):
    found = read_doc(word(*(f"Sentence {n} of the long manual. " * 20 for n in range(200))))
    assert len(found.records) > 10
    assert found.records[1].turns[0].text.startswith("Sentence")
    assert found.records[-1].place.endswith("paragraph 200")
    assert found.tally.loaded == found.tally.total == 200


def test_words_that_were_put_in_stay_and_deleted_ones_go(read_doc):
    body = (
        "<w:p><w:r><w:t>We </w:t></w:r><w:ins><w:r><w:t>always </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>never </w:delText></w:r></w:del><w:moveFrom><w:r><w:t>gone"
        "</w:t></w:r></w:moveFrom><w:r><w:t>answer.</w:t></w:r></w:p>"
        f"<w:sdt><w:sdtContent>{paragraph('A form field.')}</w:sdtContent></w:sdt>"
        f"<w:p><w:r><w:txbxContent>{paragraph('In a box.')}</w:txbxContent></w:r>"
        "<w:r><w:t>Around it.</w:t></w:r></w:p>"
    )
    assert read_doc(written(body)).text == (
        "We always answer.\n\nA form field.\n\nIn a box.\n\nAround it."
    )


def run(inside: str, options: str = "") -> str:
    return f"<w:r><w:rPr>{options}</w:rPr>{inside}</w:r>"


def test_hidden_words_are_loaded_with_a_remark(read_doc):
    hidden, shown = "<w:vanish/>", '<w:vanish w:val="0"/>'
    body = (
        f"<w:p>{run('<w:t>Seen </w:t>')}{run('<w:t>and not.</w:t>', hidden)}</w:p>"
        f"<w:p><w:pPr><w:rPr>{hidden}</w:rPr></w:pPr>{run('<w:t>Seen again.</w:t>', shown)}</w:p>"
    )
    found = read_doc(written(body))
    assert found.text == "Seen and not.\n\nSeen again."
    (remark,) = [item for item in found.items if isinstance(item, Problem)]
    assert (remark.code, remark.place) == ("hidden_text", "paragraph 1")


def test_no_sign_is_glued_doubled_or_dropped_without_a_count(read_doc):
    ruby = "<w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r>"
    body = (
        f"<w:p>{run('<w:t>left</w:t><w:ptab/><w:t>right</w:t>')}</w:p>"
        f"<w:p>{run(ruby + '</w:rubyBase></w:ruby>')}</w:p>"
        "<w:p><w:r><w:sym w:char='2713'/><w:t> done</w:t><w:sym w:char='F0FC'/></w:r></w:p>"
        "<w:altChunk/>"
    )
    found = read_doc(written(body))
    assert found.text == "left\tright\n\n漢\n\n\u2713 done"
    assert (found.tally.loaded, found.tally.skipped) == (3, 2)


def test_what_is_left_out_is_counted(read_doc):
    note = f"<w:footnotes {W}>{paragraph('A note below.')}</w:footnotes>"
    aside = {"word/comments.xml": "<c/>", "word/header1.xml": "<h/>", "word/vbaProject.bin": "no"}
    data = written(
        paragraph("Text.") + "<w:p><w:r><w:drawing><blip/></w:drawing></w:r></w:p>",
        **{"word/footnotes.xml": note, **aside},
    )
    found = read_doc(data, "a.docm")
    assert found.text == "Text.\n\nA note below."
    assert (found.tally.loaded, found.tally.skipped) == (2, 3)


@pytest.mark.slow
def test_an_empty_document_gives_nothing(read_doc):
    found = read_doc(word())
    assert (found.items, found.tally.total) == ([], 0)


@pytest.mark.slow
@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("member", ["word/document.xml", "word/styles.xml"])
def test_entities_of_its_own_are_refused_and_nothing_is_fetched(read_doc, trap, member):
    head, body = TRAPS[trap], "<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>"
    if member == "word/document.xml":
        data = written(body, head)
    else:
        data = written(body, **{member: f"<?xml version='1.0'?>{head}<s>&a9;</s>"})
    with pytest.raises(ChildError, match="trap") as error:
        read_doc(data)
    assert error.value.code == "bad_document"


@pytest.mark.slow
def test_a_member_that_grows_too_far_is_refused_before_it_is_read(read_doc):
    with pytest.raises(ChildError, match="grow far more") as error:
        read_doc(written(paragraph(" " * (64 << 20))))
    assert error.value.code == "ratio"


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_document_that_was_cut_short_says_so(read_doc, share):
    data = word(*(f"Paragraph {n}" for n in range(50)))
    with pytest.raises(ChildError, match=r"damaged.*save it again") as error:
        read_doc(data[: int(len(data) * share)])
    assert error.value.code in REASONS


@pytest.mark.slow
def test_damaged_xml_says_where(read_doc):
    data = packed({"word/document.xml": f"<w:document {W}>\n<w:body>\n<w:p></w:body>"})
    with pytest.raises(ChildError, match=r"word/document\.xml.*damaged in line 3"):
        read_doc(data)


@pytest.mark.slow
def test_a_body_that_never_ends_going_deeper_costs_one_file(read_doc):
    body = "<w:tbl><w:tr><w:tc>" * 20_000 + "</w:tc></w:tr></w:tbl>" * 20_000
    assert read_doc(written(body)).records == []


@pytest.mark.slow
def test_a_protected_member_says_what_to_do(read_doc):
    data = bytearray(word("Text."))
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        data[start + 8] |= 1
        start += 4
    start = 0
    while (start := data.find(b"PK\x03\x04", start)) >= 0:
        data[start + 6] |= 1
        start += 4
    with pytest.raises(ChildError, match="password"):
        read_doc(bytes(data))


@pytest.mark.slow
def test_a_way_of_packing_that_office_does_not_know_is_refused(read_doc, tmp_path):
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("word/document.xml", "x" * 100)
    with pytest.raises(ChildError, match="packed in a way"):
        read_doc(path.read_bytes())


@pytest.mark.slow
def test_a_document_without_a_body_is_refused(read_doc):
    data = changed(word("Text."), "word/document.xml", None)
    with pytest.raises(ChildError, match="text is missing"):
        read_doc(data, kind="docx")


@pytest.mark.parametrize(
    ("stream", "kind", "sentence"),
    [
        ("EncryptedPackage", "protected", "without a password"),
        ("WordDocument", "doc", "Save it as .docx"),
        ("Workbook", "xls", "Save it as .xlsx"),
        ("PowerPoint Document", "ppt", "Save its text"),
        ("Other", "ole", "older Office file"),
    ],
)
def test_older_and_protected_files_are_refused_with_the_next_step(kind_of, stream, kind, sentence):
    found = kind_of(ole(stream), "a.docx")
    assert found.kind == kind
    assert sentence in found.format.refusal
