"""What a reply is worth beside the real answer, on rows that people judged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from datasets_app.sample.questions import (
    changed_questions,
    multi_turn_questions,
    off_topic_questions,
    validation_questions,
)
from training_app.lm.facts import Closeness, does_not_know, judge, says_the_same
from training_app.lm.terms import terms

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("judged.jsonl").read_text("utf-8").splitlines()
]
OUTCOMES = ("right", "contradicts", "wrong", "abstains")
STRICT = [*validation_questions(), *multi_turn_questions(), *changed_questions()]


def outcome(row):
    return judge(row["reply"], row["reference"], question=row["question"]).outcome


def test_there_are_rows_of_every_kind_with_their_licence():
    assert len(ROWS) >= 200
    assert {row["outcome"] for row in ROWS} == set(OUTCOMES)
    assert all(row["source"] and row["licence"] for row in ROWS)


@pytest.mark.slow
@pytest.mark.parametrize(("is_fresh", "agree", "precise"), [(False, 0.95, 0.97), (True, 0.96, 1.0)])
def test_it_judges_as_people_did(is_fresh, agree, precise):
    """Fresh rows were written after the rules and their cuts."""
    rows = [row for row in ROWS if row["is_fresh"] is is_fresh]
    told = Counter((row["outcome"], outcome(row)) for row in rows)
    assert sum(told[one, one] for one in OUTCOMES) >= agree * len(rows)
    assert told["right", "right"] >= precise * sum(told[one, "right"] for one in OUTCOMES)
    assert told["right", "right"] >= 0.93 * sum(told["right", one] for one in OUTCOMES)
    assert told["contradicts", "right"] <= 1
    assert told["abstains", "abstains"] == sum(told["abstains", one] for one in OUTCOMES)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("$289", "289 dollars"),
        ("USD 1,289.50", "$1289.50"),
        ("Rs. 1,00,000", "₹100000"),
        ("1.289,50 €", "1289.5 euros"),
        ("9 am", "9:00"),
        ("6 p.m.", "18:00"),
        ("noon", "12 pm"),
        ("five to seven working days", "5-7 days"),
        ("two weeks", "14 days"),
        ("a repair within a day", "a repair within 24 hours"),
        ("twenty-five", "25"),
        ("three hundred", "300"),
        ("1.6 kg", "1600 g"),
        ("50 %", "fifty percent"),
        ("October 27th", "27 October"),
        ("27 October 2026", "2026-10-27"),
        ("555-0142", "5550142"),
        ("JP-512", "jp512"),
        ("٢٨٩", "289"),
        ("\uff12\uff18\uff19", "289"),
        ("२८९", "289"),
        ("289元", "¥289"),
        ("1.299 €", "1299 euros"),
        ("Das sind 12.500 Stück", "12500"),
        ("1 299,50 €", "€1299.50"),
        ("0,500 kg", "500 g"),
        ("17.30 Uhr", "5:30 pm"),
        ("fünf Tage", "5 days"),
        ("fünf bis sieben Werktage", "5-7 days"),
        ("五天", "5 days"),
        ("3个月", "three months"),
        ("3일 이내", "3 days"),
        ("пять дней", "5 days"),
        ("خمسة أيام", "5 days"),
    ],
)
def test_one_fact_has_many_spellings(text, same):
    assert judge(text, same).outcome == "right"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("$289", "$298"),
        ("$289", "€289"),
        ("9 am", "9 pm"),
        ("95 g", "95 kg"),
        ("five days", "five weeks"),
        ("Monday", "Tuesday"),
        ("October 27th", "October 28th"),
        ("JP-512", "JP-521"),
        ("green", "blue"),
        ("٢٨٩", "٢٩٨"),
    ],
)
def test_another_fact_contradicts(text, other):
    assert judge(text, other).outcome == "contradicts"


@pytest.mark.parametrize(
    ("reply", "reference", "same"),
    [
        ("Your parcel is on its way!", "your parcel is on its way", True),
        ("It costs 12 euros.", "It costs 21 euros.", False),
        ("We do not deliver to islands.", "We do deliver to islands.", False),
        ("You can't return it within a month of buying", "You can return it within a month", False),
        ("", "Yes.", False),
        ("...", "", True),
        ("订单已经发货明天就会送到您家门口请注意查收",) * 2 + (True,),
        ("Something else altogether.", "Your parcel is on its way.", False),
    ],
)
def test_without_facts_words_and_denials_count(reply, reference, same):
    assert says_the_same(reply, reference) is same


@pytest.mark.slow
@pytest.mark.parametrize("one", STRICT, ids=lambda one: one.question)
def test_the_strict_facts_of_the_sample_accept_its_answer_and_refuse_all_other(one):
    asked = [turn.text for turn in one.turns]

    def told(reply):
        strict = {"must": one.must, "must_not": one.must_not}
        return judge(reply, one.answer, question=asked, **strict).outcome

    assert told(one.answer) == "right"
    assert told("I do not find that in what I know. A colleague will help.") == "abstains"
    assert told("") == "wrong"
    for wrong in one.must_not[::3]:
        assert told(f"{one.answer} {wrong}") == "contradicts", wrong
    others = [other.answer for other in STRICT if other.intent != one.intent]
    assert sum(told(other) == "right" for other in others) <= 7


def test_an_invented_order_number_always_contradicts():
    asked = "Where is my order JP-512?"
    said = judge(
        "Order JP-284 left on Monday.", "Order JP-512 left.", must=("left",), question=asked
    )
    assert (said.outcome, said.foreign) == ("contradicts", ("JP-284", "Monday"))
    before = ["My order is JP-284", "Thanks, I look", "So?"]
    assert judge("Order JP-284 left.", "It left.", question=before).outcome != "contradicts"


def test_facts_that_the_question_brings_along_prove_nothing():
    reply = judge("289 dollars?", "Yes, with tax included.", question="Is it really $289?")
    assert reply.outcome == "wrong"


def test_meaning_decides_where_there_are_no_facts():
    near = Closeness(lambda reply, reference: 0.9, cut=0.65)
    far = Closeness(lambda reply, reference: 0.6, cut=0.65)
    pair = ("Patience pays off.", "It is worth waiting.")
    assert judge(*pair).outcome == "wrong"
    assert judge(*pair, closeness=near).outcome == "right"
    assert judge(*pair, closeness=far).outcome == "wrong"
    assert judge("It costs $5.", "It costs $6.", closeness=near).outcome == "contradicts"


def test_off_topic_questions_and_real_answers_are_no_abstentions():
    assert not any(does_not_know(one.question) for one in off_topic_questions())
    assert not any(does_not_know(one.answer) for one in STRICT)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["a" * 100_000, ". " * 50_000, "1,0" * 30_000, "-1" * 30_000, "A " * 40_000]
)
def test_long_and_odd_texts_are_read(text):
    assert isinstance(terms(text), list)
    judge(text[:20_000], text[:20_000], question=text[:20_000])


@pytest.mark.slow
def test_any_text_of_the_naughty_ones_is_judged():
    path = Path(__file__).parents[3].parent / "shared/data/naughty-strings/blns.json"
    if not path.exists():
        pytest.skip("the shared data are not here")
    for text in json.loads(path.read_text("utf-8")):
        assert judge(text, text, question=text).outcome in {"right", "wrong", "abstains"}


def test_it_needs_neither_torch_nor_numpy():
    code = "import training_app.lm.facts, sys; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"torch", "numpy", "transformers", "django"} & set(loaded)
    assert not re.search("onnx", " ".join(loaded))


@pytest.mark.parametrize(
    ("reply", "reference"),
    [
        ("배송은 3일 걸립니다.", "배송은 3주 걸립니다."),
        ("Доставка занимает 3 дня.", "Доставка занимает 3 недели."),
        ("يستغرق التوصيل 5 أيام.", "يستغرق التوصيل 5 أسابيع."),
        ("يستغرق التوصيل خمسة أيام.", "يستغرق التوصيل ثلاثة أيام."),
        ("配送需要3个月。", "配送需要3天。"),
        ("配送需要五天。", "配送需要三天。"),
        ("Die Lieferung dauert fünf Tage.", "Die Lieferung dauert drei Tage."),
        ("Das kostet 1.299 €.", "Das kostet 1.300 €."),
        ("Есть 3 магазина.", "Есть 3 склада."),
        ("نعم، يمكنك الإرجاع.", "لا، لا يمكنك الإرجاع."),
        ("네, 환불됩니다.", "아니요, 환불되지 않습니다."),
        ("是的，可以退货。", "不，不可以退货。"),
    ],
)
def test_other_facts_in_other_languages_are_not_right(reply, reference):
    assert not says_the_same(reply, reference)
    assert says_the_same(reference, reference)


def test_a_reply_with_the_fact_does_not_abstain():
    told = "I can't answer for the carrier, but delivery takes 5 days."
    assert judge(told, "Delivery takes 5 days.").outcome == "right"
    assert judge("I can't answer that.", "Delivery takes 5 days.").outcome == "abstains"
