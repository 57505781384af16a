"""Tokenizers of each kind: any text comes back, each setting acts, figures are of unseen lines."""

from __future__ import annotations

import pytest

from training_app.lm.config import ConfigError, TrainingError
from training_app.lm.otto_template import CONTROL_TOKENS, OttoTemplate
from training_app.lm.tokenizer_backends import BACKENDS, BOUNDS, Parted, Recipe, lines_of
from training_app.lm.tokenizer_training import learn, measure

TALKS = [
    [f"Where is my order number {n}?", f"Your order {n} is on its way and arrives on day {n % 7}."]
    for n in range(200)
]
TEXTS = [text for talk in TALKS for text in talk]
NASTY = [
    "日本語のテキスト" * 30,
    "  two  spaces\t\ttab\r\n\n",
    "▁##Ġ é 😀 \x00\ufffd " + "x" * 500,
    "https://e.org/" + "a1" * 200,
    "".join(map(chr, range(1, 3000))),
]


@pytest.mark.slow
@pytest.mark.parametrize("method", BACKENDS)
def test_every_kind_brings_any_text_back_and_takes_turns(method):
    made = learn(TEXTS, Recipe(method, vocab_size=600))
    assert 261 < made.get_vocab_size() <= 600
    for text in [*NASTY, *TEXTS]:
        assert made.decode(made.encode(text).ids, skip_special_tokens=False) == text
    if method != "unigram":  # of so few different words it learns single bytes
        assert len(made.encode(TEXTS[0]).ids) < 12
    assert all(made.token_to_id(token) is not None for token in CONTROL_TOKENS)
    assert OttoTemplate.of(made).entries >= made.get_vocab_size()
    told = measure(made, NASTY)
    assert (told.coverage, told.oov_rate, told.exact) == (1.0, 0.0, True)
    assert 0 < told.char_coverage < 1
    assert measure(made, TEXTS).char_coverage == 1
    rare = learn(TEXTS, Recipe(method, vocab_size=600, min_frequency=100_000))
    assert rare.get_vocab_size() == 261
    assert learn(TEXTS, Recipe(method, vocab_size=128)).get_vocab_size() <= 300


def test_what_is_kept_back_is_drawn_by_the_seed_and_never_learned_from():
    recipe = Recipe(holdout_fraction=0.25)
    learned, held = (list(Parted(TALKS, recipe, kept_back=one)) for one in (False, True))
    assert sorted(learned + held) == sorted(TEXTS)
    assert 60 < len(held) < 140
    assert list(Parted(TALKS, recipe, kept_back=True)) == held
    assert list(Parted(TALKS, Recipe(holdout_fraction=0.25, seed=7), kept_back=True)) != held
    assert list(Parted(TALKS, Recipe(holdout_fraction=0), kept_back=True)) == []


def test_a_recipe_refuses_what_is_out_of_bounds_by_its_name():
    for name, (low, high) in BOUNDS.items():
        for value in (low - 1, high + 1):
            with pytest.raises(ConfigError) as error:
                Recipe(**{name: value})
            assert error.value.field == name
    with pytest.raises(ConfigError, match="bpe, unigram, wordpiece"):
        Recipe("magic")
    with pytest.raises(TrainingError, match="no text"):
        learn(["", ""], Recipe())
    assert len(list(lines_of(["a\n\n b\n"] * 20_000))) == 10_000
