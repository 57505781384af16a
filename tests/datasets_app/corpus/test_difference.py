"""Word differences: together the parts are both texts, whatever they are."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.difference import _Bounded, turn_differences, word_difference
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
        ("a b " * 90 + "end", "a c " * 90 + "end"),
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


def test_repeated_words_cost_no_more_than_was_allowed():
    old, new = ["a", "b"] * 90, ["a", "c"] * 90
    free = _Bounded(old, new, 10**9)
    free.get_opcodes()
    assert free.looked > 300_000  # far more than the words of one times the words of the other
    bounded = _Bounded(old, new, 30_000)
    assert {tag for tag, *_ in bounded.get_opcodes()} >= {"equal", "replace"}
    assert 0 < bounded.looked <= 30_000


def test_turns_stand_beside_what_they_were():
    longer = Conversation((*pair("When?", "At ten.").turns, Turn("user", "Thanks")))
    first, second, third = turn_differences(pair("When?", "At nine."), longer)
    assert not first.differs
    assert second.differs
    assert (third.was_role, third.role) == ("", "user")
