"""Replies that say what nobody told them."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import USER, Turn
from datasets_app.knowledge.find import Found, Quote
from datasets_app.knowledge.known import Known
from datasets_app.knowledge.pieces import Piece
from training_app.lm.grounding import Source
from training_app.lm.made_up import Told, Watch, quote_for, without_codes

STOVE = Source("You pay $59 for the Ember camping stove.", "What does the Ember stove cost?")
SIZE = Source("I changed order JP-192, the new confirmation is sent.", "Make JP-192 a size large")
PARCEL = Source("Order JP-512 is packed.", "Where is JP-512?")
LOST = Source("That should not happen, we send it again.", "My order JP-871 is lost")
PLAIN = Source("Bestellung 4821355 ist gepackt.", "Wo ist Bestellung 4821355?")
GERMAN = Source("Bestellung 4821356 ist unterwegs.", "Wo ist Bestellung 4821356?")
TENT = Source("The XT500 weighs 2 kg.", "How heavy is the XT500?")
LARGE = Source("The XT600 weighs 3 kg.", "How heavy is the XT600?")
RULE = Source("Yes, we hold ISO27001.", "Do you hold ISO 27001?")
ERROR = Source("E404 means that the door is open.", "What does E404 mean?")
LATER = Source("E405 means that the filter is full.", "What does E405 mean?")
HOTLINE = Source("Yes, 0800 1234567 is ours.", "Is 0800 1234567 your hotline?")

HOLDERS = {"anything": 50, "else": 60, "xt500": 9, "xt600": 9, "rma": 200, "rma-555": 1}
KNOWN = Known(holders=lambda term: HOLDERS.get(term, 1), pieces=1_000)


@pytest.mark.parametrize(
    ("reply", "is_left"),
    [
        ("The Ember camping stove costs $59.", False),
        ("You are welcome! The stove is $59.", False),  # one word of its own
        ("The stove is $59. Is there anything else?", False),  # what many answers say
        ("The Ember stove is designed for a comfortable evening.", True),
        ("The designed, designing designer stove.", False),  # one beginning
        ("Der Kocher kostet bei uns 59 Dollar.", True),
        ("यह स्टोव बहुत सुंदर कपड़े से बना हुआ है।", True),
        ("", False),
        ("炉子很贵。", False),  # no spaces: not looked at
        ("Order AB-1234 costs $59.", True),  # a code that nobody named
        ("The MP3 stove of A4 is $59.", False),
        ("A search for JP-" + "JP" * 70, True),  # where all its numbers were taken away
        ("The Versandkostenrueckerstattungsrichtlinie costs $59.", False),
    ],
)
def test_two_words_that_nobody_told_are_too_many(reply, is_left):
    told = Told.of([STOVE], ["the price of that stove?"], KNOWN)
    assert told.is_left_by(reply) == is_left
    watch = Watch(told)
    heard = [watch.hears(reply[:end]) for end in range(len(reply) + 1)]
    assert any([*heard, watch.hears(reply, is_whole=True)]) == is_left
    assert heard == sorted(heard)  # never taken back


@pytest.mark.parametrize("text", ["", " ", "\n", "Des", "The Ember des"])
def test_a_word_is_looked_at_once_it_is_whole(text):
    watch = Watch(Told.of([STOVE], []))
    assert not watch.hears(text)
    assert watch.hears(f"{text}igned for comfortable evenings, ")


@pytest.mark.parametrize(
    ("source", "like", "code"), [(SIZE, PARCEL, "JP-192"), (PLAIN, GERMAN, "4821355")]
)
def test_an_order_is_named_to_whoever_named_it(source, like, code):
    near = code[:-1] + "0"
    for sources, talk in (([source, like], []), ([source], [f"and mine, {near}?"])):
        told = Told.of(sources, talk, KNOWN)
        assert told.is_left_by(source.answer)
        assert told.names_others(source.answer)
        is_mistaken = code not in without_codes(source.as_text(), told.not_copied)
        assert is_mistaken == bool(talk)  # else there is none to copy instead
    told = Told.of([source, like], [f"it is {code.replace('-', '').lower()}"], KNOWN)
    assert not told.is_left_by(source.answer)
    assert not told.names_others(source.answer)


@pytest.mark.parametrize(
    ("sources", "talk"),
    [
        ([TENT, LARGE], "How heavy is your largest tent?"),  # asked about again and again
        ([TENT, LARGE], "How heavy is the XT 500?"),
        ([TENT, LARGE], "Is the XT500 or the XT600 heavier?"),
        ([HOTLINE, STOVE], "What is your hotline?"),  # the only one of its kind
        ([RULE], "Are you certified?"),
        ([Source("Yes, ISO-9001.", "Do you hold ISO-9001?")], "Are you certified?"),
        ([ERROR, LATER], "My display says error 404"),
        ([Source("Use the voucher SUN-2026.", "Is there a discount?")], "A voucher?"),
    ],
)
def test_what_is_no_order_of_somebody_is_said(sources, talk):
    told = Told.of(sources, [talk], KNOWN)
    assert not told.names_others(sources[0].answer)
    assert not told.is_left_by(sources[0].answer)


def test_what_begins_like_much_else_is_one_of_a_series():
    told = Told.of([Source("RMA-555 is on its way.", "Where is RMA-555?")], ["My parcel?"], KNOWN)
    assert told.codes_of_others == {"rma555"}


def test_of_two_products_the_one_that_is_asked_about_is_quoted():
    told = Told.of([LARGE, TENT], ["How heavy is the XT500?"], KNOWN)
    assert told.names_others(LARGE.answer)
    assert not told.names_others(TENT.answer)


def test_a_code_is_taken_out_whole():
    text = "ORD-100, ORD-1001 and 482137; 48213."
    assert without_codes(text, frozenset({"ord100", "48213"})) == " , ORD-1001 and 482137;  ."
    assert without_codes(text, frozenset()) == text


def test_an_answer_about_somebody_elses_order_is_not_quoted():
    def known(*sources):
        found = (
            Found(Piece(one.question, "", one.answer, 1_000_001, "", 0, "train"), 0.9, 0.9, 1)
            for one in sources
        )
        quote = Quote(sources[0].answer, is_part=False)
        return Known(tuple(found), is_near=True, quote=quote, holders=KNOWN.holders)

    asked, theirs = [Turn(USER, "Where is my parcel?")], [Turn(USER, "Where is JP-192?")]
    assert quote_for(asked, known(SIZE, PARCEL)) is None
    assert quote_for(theirs, known(SIZE, PARCEL)) == Quote(SIZE.answer, is_part=False)
    assert quote_for(asked, known(STOVE)) == Quote(STOVE.answer, is_part=False)
    assert quote_for(asked, Known()) is None
