"""Ten made-up runs: the words name the cause and the next step."""

from __future__ import annotations

import math

import pytest

from training_app.lm.answer_test import AnswerFigures
from training_app.lm.bands import LossCurve
from training_app.lm.diagnosis import Ended, findings

FALLING = LossCurve([(0, 6.0), (100, 3.0), (200, 2.2), (300, 2.0)])
GOOD = AnswerFigures(right=66, contradicting=3, wrong=4)
WRONG = AnswerFigures(right=12, contradicting=41, wrong=20)
FLUENT = {"curve": FALLING, "train_loss": 1.8, "perplexity": 25.0}
SENTENCES = ["You can return it within 30 days.", "We open at nine. On Sundays we are closed."] * 10
ROWS = ["12; blue; XL; 39.90", "id: 4, size: M, price: 12, stock: 3", "a|b|c|d", "Ask at the desk."]
RUNS = {
    "too little data": (
        {**FLUENT, "train_tokens": 4_100, "perplexity": 2000.0, "answers": WRONG},
        ("Too little data: about 4,100 tokens", "100,000", "fine-tune a base model"),
    ),
    "leakage": (
        {**FLUENT, "leaked": 0.63, "answers": GOOD},
        ("63 % of the validation text", "Decide the repeats", "freeze a new version"),
    ),
    "overfit": (
        {
            "curve": LossCurve([(0, 6.0), (100, 2.0), (200, 2.2), (300, 2.6)]),
            "train_loss": 1.4,
            "perplexity": 40.0,
            "answers": GOOD,
        },
        ("From update 100 on", "it overfits", "Add conversations, or end near that update"),
    ),
    "diverged": (
        {"has_diverged": True, "curve": LossCurve([(0, 6.0), (100, 9.8)]), "train_tokens": 10},
        ("The loss broke", "a tenth of the learning rate"),
    ),
    "flat": (
        {"curve": LossCurve([(0, 6.0), (500, 5.95), (1000, 5.9)]), "perplexity": 5000.0},
        ("learned almost nothing", "Raise the learning rate threefold"),
    ),
    "memorised": (
        {
            "curve": LossCurve([(0, 6.0), (100, 2.4), (200, 2.9), (300, 3.5)]),
            "train_loss": 0.05,
            "passes": 80.0,
            "perplexity": 60.0,
        },
        ("by heart: loss 0.05 there, 2.40", "after 80 passes", "fewer passes (20 or so)"),
    ),
    "wrong template": (
        {**FLUENT, "replies": ["<|im_start|>assistant\nHello"] * 4 + SENTENCES, "answers": WRONG},
        ("Signs of another chat template (“<|im_start|>”)", "4 of 24", "Take the signs out"),
    ),
    "tables as prose": (
        {**FLUENT, "references": ROWS * 5, "answers": WRONG},
        ("15 of 20 answers are rows of a table", "which column is the question"),
    ),
    "wrong facts": (
        {**FLUENT, "answers": WRONG, "references": SENTENCES, "replies": SENTENCES},
        (
            "in the style of your data, but its facts are wrong: 12 of 73",
            "Deploy it with the known",
        ),
    ),
    "good": (
        {**FLUENT, "answers": GOOD, "references": SENTENCES, "replies": SENTENCES, "leaked": 0.01},
        ("Good: 66 of 73 questions", "then deploy it"),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_words_name_the_cause_and_the_next_step(name):
    values, words = RUNS[name]
    found = findings(Ended(**values))
    assert found[0].name == name
    said = f"{found[0].cause} {found[0].step}"
    assert [one for one in words if one not in said] == []
    if name in {"good", "wrong facts", "diverged", "overfit", "memorised", "flat"}:
        assert len(found) == 1


def test_a_flat_run_is_told_apart_by_its_length_and_its_direction():
    curve = LossCurve([(0, 6.0), (10, 5.95)])
    assert "12 updates are too few" in findings(Ended(curve=curve, updates=12))[0].cause
    worse = LossCurve([(0, 3.0), (100, 3.4), (200, 3.5)])
    assert "Lower the learning rate" in findings(Ended(curve=worse))[0].step


def test_a_loss_that_is_no_number_has_broken_and_nothing_known_says_nothing():
    broken = LossCurve([(0, 6.0), (100, 3.0), (200, math.nan)])
    assert findings(Ended(curve=broken))[0].name == "diverged"
    assert findings(Ended()) == []
    few = findings(Ended(is_from_scratch=False, train_rows=12, answers=GOOD))
    assert [one.name for one in few] == ["too little data"]


def test_ordinary_answers_are_no_table_and_hold_no_signs():
    lists = ["We ship to: Spain, France; Italy. Ask us for others.", "Press A, then B; wait. Done."]
    prose = ["The User: menu is in the top bar.", "Use <b>bold</b> text."]
    assert findings(Ended(references=lists * 5, replies=prose * 5)) == []
