"""Conversations and passages are cut into what can be known from them."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.knowledge.pieces import (
    answer_key,
    asked,
    passage_pieces,
    pieces_of,
    words_in,
)
from tests.datasets_app.knowledge.toys import rows, talk


def pieces(conversation):
    (row,) = rows(conversation)
    return list(pieces_of(row))


def test_each_exchange_is_a_piece_with_the_turn_before_it():
    found = pieces(talk("Price of the tent?", "It is $289.", "And in blue?", "Blue costs $299."))
    told = [(piece.question, piece.context, piece.answer, piece.number) for piece in found]
    assert told == [
        ("Price of the tent?", "", "It is $289.", 0),
        ("And in blue?", "It is $289.", "Blue costs $299.", 1),
    ]
    assert {piece.row for piece in found} == {1_000_001}


def test_a_short_question_is_also_known_by_the_turn_before_it():
    first, second = pieces(talk("Price of the tent?", "It is $289.", "And in blue?", "It is $299."))
    assert first.texts == ("Price of the tent?",)
    assert second.texts == ("And in blue?", "It is $289. And in blue?")
    long_question = "And what would the very same tent cost me if I wanted it in blue?"
    assert asked(long_question, "It is $289.") == long_question


def test_turns_in_a_row_belong_together_and_what_nobody_answers_is_no_piece():
    turns = [
        ("system", "Be kind."),
        ("assistant", "Hello!"),
        ("user", "Hi."),
        ("user", "Where are you?"),
        ("assistant", "In Elmbridge."),
        ("assistant", "At the market."),
        ("tool", "lookup"),
        ("user", "Thanks"),
    ]
    (piece,) = pieces(Conversation(tuple(Turn(role, text) for role, text in turns)))
    assert (piece.question, piece.context) == ("Hi.\nWhere are you?", "Hello!")
    assert piece.answer == "In Elmbridge.\nAt the market."
    assert pieces(talk("Anybody?")) == pieces(talk("Hm?", " \n")) == pieces(passage("  ")) == []


def test_a_passage_is_cut_between_sentences_and_nothing_is_lost():
    text = " ".join(f"Sentence {n} weighs 2.4 kg and is {n} of them." for n in range(90))
    cut = [piece.answer for piece in pieces(passage(text))]
    assert " ".join(cut) == text
    assert all(words_in(part) <= 120 and part.endswith("them.") for part in cut)


@pytest.mark.parametrize(
    "text",
    ["湖边的帐篷很轻。" * 400, "湖边的帐篷很轻" * 400, "텐트는 가볍습니다. " * 300, "x" * 50_000,
     "word " * 2_000, "\n\n".join(["A line"] * 500)],
)  # fmt: skip
def test_pieces_are_short_in_any_script_and_hold_every_sign(text):
    told = list(passage_pieces(text))
    cut = [part for part, _ in told]
    assert all(words_in(part) <= 120 for part in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert "".join(part + gap for part, gap in told) == text.strip()


@pytest.mark.parametrize("sentence", ["كم يستغرق التوصيل إلى هنا؟ ", "तंबू हल्का और जलरोधक है। "])
def test_a_passage_is_cut_where_sentences_of_its_script_end(sentence):
    cut = [part for part, _ in passage_pieces(sentence * 60)]
    assert len(cut) > 2
    assert {part[-1] for part in cut} == {sentence.strip()[-1]}


@pytest.mark.slow
def test_a_huge_answer_becomes_many_pieces_under_its_question():
    answer = "The tent stands on the hill and looks at the lake. " * 40_000  # 2 MB
    found = pieces(talk("Tell me all", answer))
    assert len(found) > 2_000
    assert all(words_in(piece.answer) <= 120 and piece.is_part for piece in found)
    assert found[7].texts == (f"Tell me all {found[7].answer}",)
    (short,) = pieces(talk("x" * 50_000, "y"))
    assert len(short.question) == 2_000


def test_equal_answers_have_one_key():
    assert answer_key("It is  $289!") == answer_key("it is $289")
    assert answer_key("It is $289") != answer_key("It is $298")
