"""An answer from known answers writes no number that it was not shown."""

from __future__ import annotations

import re

import numpy as np
import pytest

from chat_app.serving.sampling import Sampler, Sampling
from training_app.lm.copied_numbers import CopiedNumbers, DigitTokens
from training_app.lm.tokenizer import train_bpe

SHOWN = "Order JP-190 of 24 May costs $1,250 (7 days). Call 555-0142."
RUNS = set(re.findall("[0-9]+", SHOWN))


@pytest.fixture(scope="module")
def tokenizer():
    """Return one whose tokens hold several digits, and digits beside letters."""
    texts = [f"order JP-{n} costs ${n % 97} or a{n}b in {n % 13} days" for n in range(100, 400)]
    return train_bpe([*texts * 3, SHOWN, "Order of days and 24/7."], 700).tokenizer


@pytest.mark.slow
def test_whatever_the_scores_only_shown_numbers_are_written(tokenizer):
    digits = DigitTokens.of(tokenizer)
    assert any(len(text) > 2 for text in digits.texts.values())
    size, chance = tokenizer.get_vocab_size(), np.random.default_rng(5)
    loves_digits = np.zeros(size, np.float32)
    loves_digits[list(digits.texts)] = 5
    written = set()
    for seed in range(60):
        sampler = Sampler(Sampling(2.0, 0, 1.0), seed, [], CopiedNumbers(digits, SHOWN))
        ids = []
        for _ in range(40):
            scores = loves_digits + chance.random(size, np.float32)
            order = np.argsort(-scores)[:64]
            ids.append(sampler.choose(scores, scores[order], order))
        text = tokenizer.decode(ids)
        *whole, last = re.findall("[0-9]+", text)
        assert set(whole) <= RUNS
        assert any(run.startswith(last) for run in RUNS)
        written |= set(whole)
    assert written == RUNS


def test_a_number_is_ended_before_the_answer_is(tokenizer):
    digits, one = DigitTokens.of(tokenizer), tokenizer.token_to_id
    numbers = CopiedNumbers(digits, "JP-190")
    scores = np.zeros(tokenizer.get_vocab_size(), np.float32)
    order = np.arange(len(scores))
    assert not np.isfinite(numbers.next().masked(scores, order)[one("2")])
    for sign in "19":
        numbers.take(one(sign))
    left = numbers.next().masked(scores, order)
    assert [tokenizer.id_to_token(n) for n in np.flatnonzero(np.isfinite(left))] == ["0"]
    numbers.take(one("0"))
    left = numbers.next().masked(scores, order)
    assert np.isfinite(left[one("!")])
    assert not np.isfinite(left[one("0")])


def test_scores_stay_as_they_are_where_no_number_is_near(tokenizer):
    numbers = CopiedNumbers(DigitTokens.of(tokenizer), "no figures here")
    scores = np.zeros(tokenizer.get_vocab_size(), np.float32)
    assert numbers.next().masked(scores, np.array([tokenizer.token_to_id("a")])) is scores
    assert not np.isfinite(numbers.next().masked(scores, np.arange(len(scores)))).all()


def test_what_somebody_began_with_another_number_can_go_on(tokenizer):
    numbers = CopiedNumbers(DigitTokens.of(tokenizer), "JP-190")
    for sign in "77":
        numbers.take(tokenizer.token_to_id(sign))
    scores = np.zeros(tokenizer.get_vocab_size(), np.float32)
    left = numbers.next().masked(scores, np.arange(len(scores)))
    assert np.isfinite(left[tokenizer.token_to_id("!")])
    assert not np.isfinite(left[tokenizer.token_to_id("7")])
