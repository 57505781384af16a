"""Word differences: together the parts are both texts, whatever they are."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.difference import turn_differences, word_difference
from tests.datasets_app.makers import pair


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Mon–Fri 9–17.", "Mon–Sat 9–18."),
        ("", "all is new"),
        ("all goes", ""),
        ("equal", "equal"),
        ("明日は休みです。", "明後日は休みです。"),
        ("  two  spaces\r\nand a line", "two spaces\nand a line"),
        ("word " * 3_000 + "end", "other " * 3_000 + "end"),
    ],
)
def test_the_parts_are_both_texts(before, after):
    parts = word_difference(before, after)
    assert "".join(part.text for part in parts if part.kind != "new") == before
    assert "".join(part.text for part in parts if part.kind != "gone") == after


def test_only_the_words_that_differ_are_marked():
    parts = word_difference("It opens at nine on Monday.", "It opens at ten on Monday.")
    assert [(part.kind, part.text.strip()) for part in parts[1:3]] == [
        ("gone", "nine"),
        ("new", "ten"),
    ]
    han = word_difference("明日は休みです", "明後日は休みです")
    assert [part.text for part in han if part.kind != "same"] == ["後"]


def test_turns_stand_beside_what_they_were():
    longer = Conversation((*pair("When?", "At ten.").turns, Turn("user", "Thanks")))
    first, second, third = turn_differences(pair("When?", "At nine."), longer)
    assert not first.differs
    assert second.differs
    assert (third.was_role, third.role) == ("", "user")
