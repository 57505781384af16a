"""What is said about a finished model: no praise for wrong answers, and a real leakage check."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training_app.lm import leakage
from training_app.lm.bands import LossCurve
from training_app.lm.evaluation import Evidence, Figures, band, verdict
from training_app.lm.leakage import leaked_share, run_length


def figures_of(bits):
    return Figures(100, 400, 1.0, None, 50.0, bits)


ANSWERED = [
    (0, "Where is it?", "Your order 12 arrives on day 3.", "Your order 12 arrives on day 3."),
    (1, "Where is it?", "Your order 12 arrives on day 3.", "Your order 14 arrives on day 5."),
    (2, "Is it new?", "Yes, it is not new.", "Yes, it is new."),
]


@pytest.mark.parametrize("bits", [0.2, 1.0, 2.0, 3.0])
def test_no_verdict_praises_wrong_answers(bits):
    words = verdict(figures_of(bits), LossCurve([]), Evidence(ANSWERED[1:], leaked=0.0))
    assert words.startswith("None of its 2 sample answers says what the real one says.")
    assert "good" not in words.lower()
    assert "0 % of the validation text" in words


def test_the_verdict_counts_answers_and_says_what_leaked():
    words = verdict(figures_of(0.2), LossCurve([]), Evidence(ANSWERED, leaked=0.43))
    assert words.startswith("1 of its 3 sample answers say what the real ones say.")
    assert "Leakage check: 43 %" in words
    assert "flatter" in words
    assert "look at the leakage check" not in words


def test_a_model_that_learned_answers_is_judged_by_its_answers():
    figures = Figures(100, 400, 4.0, 1.0, math.exp(4.0), 2.4)
    words = verdict(figures, LossCurve([]))
    assert (band(figures), "gibberish" in words) == ("high", True)
    words = verdict(figures, LossCurve([], "answers"))
    assert (band(figures, "answers"), "gibberish" in words) == ("very low", False)
    assert "2.7 on the answers, from which it learned" in words


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_the_leakage_check_finds_runs_of_thirteen_tokens(dtype):
    chance = np.random.default_rng(3)
    train = chance.integers(0, 60_000, 30_000).astype(dtype)
    fresh = chance.integers(0, 60_000, 1_000).astype(dtype)
    assert leaked_share(train, fresh) == 0.0
    half = fresh.copy()
    half[100:600] = train[7_000:7_500]
    assert leaked_share(train, half) == pytest.approx(0.5)
    short = fresh.copy()
    short[100:112] = train[7_000:7_012]  # twelve in a row are chance
    assert leaked_share(train, short) == 0.0
    assert leaked_share(train, train[:12]) == 0.0
    assert leaked_share(train[:5], fresh) == 0.0


def test_bytes_that_any_two_texts_share_are_no_leakage():
    asked = b"Where is my order number 4711, please? I cannot find it anywhere."
    other = b"Where is my order number 12, please? I would like to have it now."
    train, validation = (np.frombuffer(text, np.uint8).astype(np.uint16) for text in (asked, other))
    assert leaked_share(train, validation) > 0.2  # thirteen bytes in a row are two words
    assert (run_length(1.0), run_length(4.5), run_length(9.0)) == (58, 13, 13)
    assert leaked_share(train, validation, run_tokens=run_length(1.0)) == 0.0
    assert leaked_share(train, train, run_tokens=run_length(1.0)) == 1.0


def test_the_leakage_check_reads_the_training_split_in_pieces(monkeypatch):
    monkeypatch.setattr(leakage, "_CHUNK", 100)
    train = np.random.default_rng(4).integers(0, 500, 5_000).astype(np.uint16)
    assert leaked_share(train, train[95 : 105 + 13]) == 1.0
    assert leaked_share(train, train[-40:]) == 1.0
