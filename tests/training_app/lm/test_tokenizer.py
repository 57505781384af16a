"""Tokenizers round-trip any text and never grow beyond what their data support."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from training_app.lm.breaks import BREAK
from training_app.lm.config import TrainingError
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.tokenizer import token_bytes, train_bpe, with_control_tokens

SAMPLE = [f"Where is parcel {number}? It is on its way." for number in range(400)]


TEXT = st.text().map(lambda text: text.replace(BREAK, ""))


@given(TEXT)
def test_any_text_comes_back_unchanged(template, text):
    assert template.decode(template.text_ids(text)) == text


def test_the_vocabulary_follows_the_data_and_says_so():
    made = train_bpe(SAMPLE, 8192)
    assert made.tokenizer.get_vocab_size() <= 384
    assert "instead of 8,192" in made.note


def test_equal_data_give_equal_tokenizers():
    assert train_bpe(SAMPLE, 320).tokenizer.to_str() == train_bpe(SAMPLE, 320).tokenizer.to_str()


def test_data_without_any_text_are_refused():
    with pytest.raises(TrainingError, match="no text"):
        train_bpe(["", ""], 512)


@given(TEXT)
def test_token_bytes_add_up_to_the_text(template, text):
    lengths = token_bytes(template.tokenizer)
    assert lengths[template.text_ids(text)].sum() == len(text.encode())
    assert lengths[template.end_of_turn] == 0


def test_a_foreign_tokenizer_gets_the_control_tokens_once():
    alphabet = {char: n for n, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    foreign = Tokenizer(models.BPE(alphabet, []))
    foreign.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    foreign.decoder = decoders.ByteLevel()
    assert with_control_tokens(foreign) == 5
    assert with_control_tokens(foreign) == 0
    assert (
        OttoTemplate.of(foreign).decode(OttoTemplate.of(foreign).text_ids("<|end|>")) == "<|end|>"
    )
