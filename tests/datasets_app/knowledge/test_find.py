"""What is near in meaning or says the same words is found, and nothing that was left out."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.find import Knowledge, Without
from datasets_app.knowledge.pieces import asked
from datasets_app.knowledge.store import Writer
from tests.datasets_app.knowledge.toys import rows, talk, toy_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return Encoder.open(toy_encoder(tmp_path_factory.mktemp("encoders") / "toy"))


def knowledge_of(folder, encoder, *groups):
    writer = Writer(folder, encoder=encoder)
    for group in groups:
        writer.add(group)
    writer.finish()
    return Knowledge.open(folder)


ORDERS = [talk(f"Where is my order JP-{n}?", f"Order JP-{n} is on its way.") for n in range(500)]
SHOP = [
    *(*ORDERS, talk("How much is the tent?", "It is $289.", "And in red?", "Red is $309.")),
    *(talk("How much is a boots?", "It is $199.", "And in red?", "Red is $219."),),
    *(talk("When is the shop open?", "From 9 to 6."), "Mud on boots comes off with a brush."),
]


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory, encoder):
    return knowledge_of(tmp_path_factory.mktemp("k") / "shop", encoder, rows(*SHOP))


def answers(knowledge, encoder, question, *, context="", **wanted):
    vector = encoder.encode([asked(question, context)])[0]
    found = knowledge.find(question, context=context, vector=vector, **wanted)
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    return [one.piece.answer for one in found]


def test_the_nearest_comes_first(knowledge, encoder):
    assert answers(knowledge, encoder, "shop open when?")[0] == "From 9 to 6."
    assert len(answers(knowledge, encoder, "shop open when?")) == 3
    assert len(answers(knowledge, encoder, "shop open when?", most=7)) == 7


def test_who_holds_a_term_is_counted(knowledge):
    held = {term: knowledge.holders(term) for term in ("jp", "jp-417", "boot", "zebra")}
    assert held == {"jp": 500, "jp-417": 1, "boot": 2, "zebra": 0}


def test_a_number_that_no_vector_knows_is_found_by_its_words(knowledge, encoder):
    assert (
        answers(knowledge, encoder, "where is my order jp-417")[0] == "Order JP-417 is on its way."
    )
    assert knowledge.find("jp-417")[0].piece.answer == "Order JP-417 is on its way."


def test_a_short_question_is_understood_by_the_turn_before_it(knowledge, encoder):
    for before, answer in (("It is $289.", "Red is $309."), ("It is $199.", "Red is $219.")):
        assert answers(knowledge, encoder, "and in red?", context=before)[0] == answer


def test_passages_are_found_by_what_they_say(knowledge, encoder):
    assert answers(knowledge, encoder, "mud on my boots")[0].startswith("Mud on boots")


def test_rows_answers_and_sides_can_be_left_out(tmp_path, encoder):
    known = knowledge_of(
        tmp_path / "k",
        encoder,
        rows(
            talk("Where is the shop?", "In Elmbridge."), talk("Where is the shop?", "In  elmbridge")
        ),
        rows(talk("Where is the shop?", "In Elmbridge."), first=3),
        rows(talk("Where is the shop?", "In Greyford."), split="validation", first=4),
    )
    find = lambda **wanted: answers(known, encoder, "Where is the shop?", **wanted)  # noqa: E731
    assert find() == ["In Elmbridge.", "In Greyford."]
    copied = Without(rows=[1_000_001, 7])  # the copies are the same piece
    assert find(without=copied) == ["In Greyford."]
    assert find(without=Without(rows=[1_000_003])) == ["In Greyford."]
    assert find(without=Without(answers=["in elmbridge!"])) == ["In Greyford."]
    assert find(without=Without(splits=["validation", "test"])) == ["In Elmbridge."]
    assert find(without=Without(rows=range(1_000_001, 1_000_005))) == []


@pytest.mark.slow
def test_equal_answers_come_once_however_many_there_are(tmp_path, encoder):
    same = [talk(f"Where is my order number {n}?", "We look for it.") for n in range(130)]
    other = [talk("Where is my refund?", "On your card."), talk("How much?", "It is $9.")]
    known = knowledge_of(tmp_path / "k", encoder, rows(*same, *other))
    found = answers(known, encoder, "where is my order")
    assert found[0] == "We look for it."
    assert sorted(found) == ["It is $9.", "On your card.", "We look for it."]


def test_the_place_that_is_named_decides_between_questions_of_one_kind(tmp_path, encoder):
    names = [f"Curry {second} {third}" for second in ("King", "Prince") for third in range(40)]
    asked = ["How much is the order?", "When is the shop open?"]
    told = [talk(f"{name}\n\n{text}", f"{name} says: {text}") for name in names for text in asked]
    knowledge = knowledge_of(tmp_path / "named", encoder, rows(*told))
    for name in names:
        question = f"at {name}, how much is an order?"
        (vector,) = encoder.encode([question])
        for said in (vector, None):
            (one,) = knowledge.find(question, vector=said, most=1)
            assert one.piece.answer == f"{name} says: How much is the order?"


def test_a_greeting_is_no_place(tmp_path, encoder):
    greeted = [
        talk(f"{hello}\n\nWhere is my order JP-{n}?", f"JP-{n} left.")
        for hello in ("Hello", "Hi there")
        for n in (1, 2)
    ]
    mixed = [
        talk(f"Good morning\n\nWhere is {what}?", said)
        for what, said in (("it", "Here."), ("it", "There."), ("the tent", "In the shop."))
    ]
    known = knowledge_of(tmp_path / "k", encoder, rows(*greeted, *mixed))
    assert not list(known.folder.glob("about.*"))


def test_knowledge_without_headings_has_no_files_for_them(knowledge):
    assert not list(knowledge.folder.glob("about.*"))


@pytest.mark.parametrize("question", ["", " \n\t", "\x00", "?", "🙂", "x" * 5_000, "where " * 900])
def test_any_question_is_answered_or_finds_nothing(knowledge, encoder, question):
    found = answers(knowledge, encoder, question)
    assert len(found) == (3 if question.strip() else 0)
    assert len(knowledge.find(question)) <= 3


def test_a_vector_of_another_encoder_is_refused_in_a_sentence(knowledge):
    with pytest.raises(KnowledgeError, match="another encoder made it"):
        knowledge.find("where", vector=np.ones(7, np.float32))


def test_several_threads_ask_at_once(knowledge, encoder):
    told = []
    ask = lambda n: told.append((n, answers(knowledge, encoder, f"order JP-{n}", most=1)))  # noqa: E731
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [(n, [f"Order JP-{n} is on its way."]) for n in range(20)]


@pytest.mark.slow
def test_own_questions_measure_it_and_choose_the_weight_of_words(tmp_path, encoder):
    spelt = ["주문", "배송", "환불", "텐트", "가격"]
    unknown = [
        talk(f"{word} {n}번은 어떻게 됐나요", f"{word} 안내") for word in spelt for n in range(8)
    ]
    known = [talk(f"where is {word} {n}", f"See {word}.") for word in ("order", "refund", "tent")
             for n in range(10)]  # fmt: skip
    both = knowledge_of(tmp_path / "k", encoder, rows(*known, *unknown))
    latin, korean = both.manifest["figures"]["Latin"], both.manifest["figures"]["Korean"]
    assert latin["asked"] == latin["vectors"] == latin["both"] == 30
    assert korean["words"] == korean["both"] == 40 > korean["vectors"]
    assert both.weight_for("where?") < both.weight_for("텐트")
    assert latin["is_served"]
    assert not korean["is_served"]

    few = knowledge_of(tmp_path / "few", encoder, rows(*known[:3]))
    assert few.manifest["figures"] == {}
