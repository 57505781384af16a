"""Exported chats of phones: who writes, in many stamps and languages, and what nobody wrote."""

from __future__ import annotations

import pytest

from datasets_app.corpus.parsing.chat_lines import ChatLine, chat_line
from datasets_app.corpus.source import Mapping

STAMPS = (
    *("[3/12/24, 9:14:05\u202fAM] ", "\u200e[12.03.24, 09:14:05] ", "3/12/24, 9:14\u202fPM - "),
    *(
        "31.12.23, 21:41 - ",
        "2024-03-12 09:14 - ",
        "12/3/2024, 9:14 p. m. - ",
        "12/31/23, 9:41 PM - ",
    ),
)
NAMES = ("Ben", "+44 20 7946\u20110018", "Mira \U0001f33b", "李雷", "~\u202fAnn-Lee O'Hara")
OMITTED = ("<Media omitted>", "<Medien ausgeschlossen>", "\u200eimage omitted", "null")


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("name", NAMES)
def test_whoever_has_a_number_or_a_picture_as_name_speaks(stamp, name):
    said = chat_line(f"{stamp}{name}: It is 9:30 – see https://x.example/a")
    assert said is not None
    assert (said.name, said.text) == (
        name.strip("~\u202f "),
        "It is 9:30 – see https://x.example/a",
    )


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("text", ["Messages are end-to-end encrypted.", "Ben changed the subject"])
def test_a_notice_is_said_by_nobody(stamp, text):
    said = chat_line(stamp + text)
    assert said is not None
    assert (said.name, said.text) == ("", "")


@pytest.mark.parametrize("text", OMITTED)
def test_what_was_left_out_is_no_turn(text):
    assert chat_line(f"31.12.23, 21:41 - Ben: {text}") == ChatLine(stamp="31.12.23, 21:41")


@pytest.mark.parametrize(
    "line", ["Ben: hello", "at 9:14 we met", "31.12.23 was cold", "12:30 - Ben: x"]
)
def test_other_lines_are_no_chat(line):
    assert chat_line(line) is None


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_chat_is_one_conversation_without_its_notices(load, stamp):
    lines = [
        *("Nachrichten sind verschlüsselt.", "+49 170 1234567: Ist die Lampe da?"),
        *("Laden: Ja, vier.\nSie kostet 39 Euro.", "+49 170 1234567: <Medien ausgeschlossen>"),
        *("+49 170 1234567: Legen Sie mir eine zurück?", "Laden: Gemacht."),
    ]
    text = "\n".join(stamp + line for line in lines) + "\n"
    chosen = Mapping(roles={"laden": "assistant", "*": "user"})
    (talk,) = load(text, "chat.txt", mapping=chosen).talks
    assert talk == [
        ("user", "Ist die Lampe da?"),
        ("assistant", "Ja, vier.\nSie kostet 39 Euro."),
        ("user", "Legen Sie mir eine zurück?"),
        ("assistant", "Gemacht."),
    ]


@pytest.mark.parametrize(
    "text", ["[Yes]", "[sic]", "[Order 5]", "写真", "사진", "invoice.pdf (see page 4)", "<Yes>"]
)
def test_words_that_somebody_wrote_stay(text):
    said = chat_line(f"31.12.23, 21:41 - Ben: {text}")
    assert said is not None
    assert said.text == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "<attached: 0001-PHOTO.jpg>",
            "<Médias omis>",
            "<メディアなし>",
            "<Pominięto multimedia>",
        ),
        *("<Anhang: 1.pdf>", "<Без медиафайлов>", "[图片]", "a.pdf (Datei angehängt)"),
    ],
)
def test_names_of_files_and_marks_for_them_are_no_turn(text):
    assert chat_line(f"31.12.23, 21:41 - Ben: {text}") == ChatLine(stamp="31.12.23, 21:41")


@pytest.mark.parametrize("line", ["[안나] [오후 3:14] 사진", "15:14\t安奈\t写真"])
def test_a_word_for_a_picture_alone_is_no_turn_in_line_and_kakaotalk(line):
    said = chat_line(line)
    assert said is not None
    assert (said.name, said.text) == ("", "")
