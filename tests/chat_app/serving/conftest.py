from __future__ import annotations

import pytest
import torch

from chat_app.serving.loaded import load_model
from tests.chat_app.serving.toys import blur, byte_tokenizer, gpt2, llama, save, teach
from training_app.lm.otto_template import OttoTemplate


@pytest.fixture(scope="session")
def tokenizer():
    return byte_tokenizer()


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory, tokenizer):
    """A llama of 60,000 weights that has learned four chats by heart."""
    torch.manual_seed(1)
    model = llama(tokenizer.get_vocab_size())
    assert teach(model, OttoTemplate.of(tokenizer)) < 0.5
    return save(model, tokenizer, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory, tokenizer):
    torch.manual_seed(2)
    model = gpt2(tokenizer.get_vocab_size())
    blur(model)
    return save(model, tokenizer, tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="session")
def load():
    """Load each toy model once for the whole suite; tests leave its rows empty."""
    loaded = {}

    def find(key):
        if key not in loaded:
            loaded[key] = load_model(key, slots=6, threads=2)
        return loaded[key]

    return find
