"""Replies that say what nobody told them."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import USER, Turn
from datasets_app.knowledge.find import Found, Quote
from datasets_app.knowledge.known import Known
from datasets_app.knowledge.pieces import Piece
from training_app.lm.grounding import Source
from training_app.lm.made_up import Told, without_codes
from training_app.lm.quoting import quote_for

STOVE = Source("You pay $59 for the Ember camping stove.", "What does the Ember stove cost?")
SIZE = Source("I changed order JP-192, the new confirmation is sent.", "Make JP-192 a size large")
PLAIN = Source("Bestellung 4821355 ist gepackt.", "Wo ist Bestellung 4821355?")


@pytest.mark.parametrize(
    ("reply", "is_left"),
    [
        ("The Ember camping stove costs $59.", False),
        ("You are welcome! The stove is $59.", False),  # one word of its own
        ("The stove is $59. Is there anything else?", False),
        ("The Ember stove is designed for a comfortable evening.", True),
        ("The designed, designing designer stove.", False),  # one beginning
        ("Der Kocher kostet bei uns 59 Dollar.", True),
        ("", False),
        ("\u7089\u5b50\u5f88\u8d35\u3002", False),  # no spaces: not looked at
        ("Order AB-1234 costs $59.", True),  # a code that nobody named
        ("The MP3 stove of A4 is $59.", False),
    ],
)
def test_two_words_that_nobody_told_are_too_many(reply, is_left):
    told = Told.of([STOVE], ["the price of that stove?"], {"anything", "else"}.__contains__)
    assert told.is_left_by(reply) == is_left


@pytest.mark.parametrize(("source", "code"), [(SIZE, "JP-192"), (PLAIN, "4821355")])
def test_an_order_is_named_to_whoever_named_it(source, code):
    for talk in ([], ["and mine, JP-190?"]):
        told = Told.of([source], talk)
        assert told.is_left_by(source.answer)
        assert told.names_others(source.answer)
        assert code not in without_codes(source.as_text(), told.codes_of_others)
    told = Told.of([source], [f"it is {code.replace('-', '').lower()}"])
    assert not told.is_left_by(source.answer)
    assert not told.codes_of_others


def test_a_code_that_only_an_answer_names_is_a_fact():
    told = Told.of([Source("Use the voucher SUN-2026.", "Is there a discount?")], [])
    assert not told.is_left_by("Use the voucher SUN-2026.")
    assert not told.codes_of_others


def test_an_answer_about_somebody_elses_order_is_not_quoted():
    def known(source):
        piece = Piece(source.question, "", source.answer, 1_000_001, "", 0, "train")
        return Known((Found(piece, 0.9, 0.9, 1),), is_near=True, quote=Quote(source.answer, False))

    asked = [Turn(USER, "Where is my parcel?")]
    assert quote_for(asked, known(SIZE)) is None
    assert quote_for([Turn(USER, "Where is JP-192?")], known(SIZE)) == Quote(
        SIZE.answer, is_part=False
    )
    assert quote_for(asked, known(STOVE)) == Quote(STOVE.answer, is_part=False)
    assert quote_for(asked, Known()) is None
