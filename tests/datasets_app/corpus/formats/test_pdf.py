"""PDF: pages become passages, and what is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.corpus.limited.run import ChildError
from tests.datasets_app.papers import PICTURE, Put, lines, pdf

pytestmark = pytest.mark.slow  # each file is read by a process of its own
HANDBOOK = Path(__file__).resolve().parents[5] / "shared/data/techfar-docx-pdf"


@pytest.mark.checklist(57)
def test_lines_become_paragraphs_and_divided_words_are_joined(read_doc):
    page = [
        Put("Lamp manual", y=740, size=20),
        *lines(
            "The lamp is well-known in the whole house and is never with-",
            "out light. Its battery lasts for nine hours, and a well-",
            "known rule says: charge it at night.",
            "A second paragraph begins here, because a line ended early.",
            "\u2022 pull the plug",
            "\u2022 wait",
        ),
    ]
    found = read_doc(pdf(page), "a.pdf")
    assert found.text == (
        "# Lamp manual\n\nThe lamp is well-known in the whole house and is never without light. "
        "Its battery lasts for nine hours, and a well-known rule says: charge it at night.\n\n"
        "A second paragraph begins here, because a line ended early.\n- pull the plug\n- wait"
    )
    assert found.records[0].place == "page 1"


def test_two_columns_are_read_one_after_the_other_and_cells_beside_each_other(read_doc):
    left = [f"left line {n} of the first column" for n in range(8)]
    right = [f"right line {n} of the second one" for n in range(8)]
    pairs = zip(lines(*left), lines(*right, x=330), strict=True)
    found = read_doc(pdf([put for pair in pairs for put in pair]), "a.pdf")
    assert found.text == f"{' '.join(left)} {' '.join(right)}"
    cells = zip(lines("Norway", "Spain"), lines("30", "14", x=330), strict=True)
    assert read_doc(pdf([put for pair in cells for put in pair])).text == "Norway | 30\nSpain | 14"


def test_what_stands_on_every_page_goes_and_sentences_go_on(read_doc):
    def page(number: int, text: str) -> list[Put]:
        return [Put("Lamp Desk handbook", y=760), *lines(text), Put(f"page {number} of 5", y=40)]

    texts = [
        "A sentence that begins",
        "here and ends. Then",
        "again on",
        "and on",
        "to its end.",
    ]
    found = read_doc(pdf(*(page(n, text) for n, text in enumerate(texts, 1))), "a.pdf")
    assert found.text == "A sentence that begins here and ends. Then again on and on to its end."
    assert found.records[0].place == "page 1 to page 5"
    rows = [lines(f"lamp {n} | {n + 30} cm | {n + 2} kg | {n} left") for n in range(5)]
    assert "lamp 4 | 34 cm" in read_doc(pdf(*rows), "a.pdf").text
    assert found.tally.loaded == 5


def test_a_talk_becomes_turns(read_doc):
    talk = ["Agent: How can I help you today?", "Customer: The lamp is dark."] * 2
    found = read_doc(pdf(lines(*talk)), "a.pdf")
    assert found.talks == [
        [
            ("assistant", "How can I help you today?"),
            ("user", "The lamp is dark."),
            ("assistant", "How can I help you today?"),
            ("user", "The lamp is dark."),
        ]
    ]


def test_a_page_without_readable_text_is_named_and_the_others_load(read_doc):
    wall = lines("(cid:12)(cid:44)(cid:9)(cid:31)" * 3)
    found = read_doc(pdf(lines("Words that can be read."), PICTURE, wall), "a.pdf")
    assert found.text == "Words that can be read."
    assert found.codes == ["needs_ocr", "unreadable"]
    assert found.items[-1].message.startswith("page 3: The text of this page cannot be read")
    assert (found.tally.loaded, found.tally.failed) == (1, 2)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (pdf(PICTURE), "needs_ocr", "recognise the text"),
        (
            pdf(lines("x"), trailer=b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (%s) /U (%s) /P -4"
                b" >> /ID [(a) (b)]" % (b"o" * 32, b"u" * 32)),
            "encrypted", "password",
        ),
        (b"%PDF-1.7 and no more", "bad_document", "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(read_doc, data, code, words):
    with pytest.raises(ChildError, match=words) as caught:
        read_doc(data, "a.pdf")
    assert caught.value.code == code


def test_a_broken_table_of_objects_is_mended(read_doc):
    assert read_doc(pdf(lines("Still here."), xref=b"99999"), "a.pdf").text == "Still here."


@pytest.mark.skipif(not HANDBOOK.exists(), reason="the public handbook is not there")
def test_a_handbook_is_whole(read_doc):
    (path,) = HANDBOOK.glob("*.pdf")
    found = read_doc(path.read_bytes(), "a.pdf")
    assert found.tally.loaded == found.tally.total == 41
    assert "TechFAR Handbook for Procuring Digital Services Using Agile Processes" in found.text
    assert "\n- Unlike (primary competitive alternative)\n" in found.text
