"""What an answer stands on: marks and suggestions."""

from __future__ import annotations

import pytest

from chat_app.selectors.grounding import PART, ground_of
from datasets_app.corpus.conversation import ASSISTANT, USER, Turn
from datasets_app.knowledge.find import Found, Quote
from datasets_app.knowledge.known import Known
from datasets_app.knowledge.pieces import Piece


def found(question, answer="", cosine=0.8):
    piece = Piece(question, "", answer, 1_000_001, "0" * 64, 0, "train")
    return Found(piece, cosine, 0.2, 0)


def marked(text, turns):
    known = Known((found("How much is the tent?", "The Ridge tent costs $289."),), is_near=True)
    ground = ground_of(known, "stop", read=1, text=text, turns=turns)
    return [text[start:end] for start, end in ground.unsupported]


def test_what_was_made_up_before_is_not_known_now():
    invented = "The Ridge tent comes in purple for $319."
    assert marked(invented, [Turn(USER, "Which colours?")]) == ["purple", "$319"]
    talk = [Turn(USER, "Which colours?"), Turn(ASSISTANT, invented), Turn(USER, "And the price?")]
    assert marked("The Ridge tent is $319.", talk) == ["$319"]
    asked = [*talk, Turn(USER, "Is $319 right?")]
    assert marked("The Ridge tent is $319.", asked) == []


@pytest.mark.parametrize(("is_part", "note"), [(True, PART), (False, "")])
def test_a_quote_that_is_a_part_says_so(is_part, note):
    known = Known((found("How?", "Turn it."),), is_near=True, quote=Quote("Turn it.", is_part))
    assert ground_of(known, "quoted", read=0, text="Turn it.", turns=[]).note == note


def test_each_question_is_offered_once_and_none_about_something_else():
    near = [
        found("Do I get my money back?", cosine=0.46),
        found("do i get my money back", cosine=0.44),
        found("I must say that your team was kind.", cosine=0.29),
        found("Where is the shop?", cosine=None),
    ]
    ground = ground_of(Known(tuple(near)), "abstained", read=0, text="", turns=[])
    offered = [one["question"] for one in ground.sources]
    assert offered == ["Do I get my money back?", "Where is the shop?"]
