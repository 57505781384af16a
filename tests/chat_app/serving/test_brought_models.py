"""Folders that somebody brought, with files that lie: a sentence, never a crash."""

from __future__ import annotations

import json
import struct

import pytest

from chat_app.serving.export import write_graph
from training_app.lm.config import TrainingError
from training_app.lm.layout import shape_of
from training_app.lm.served_shape import UnservableError

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 1,
    "vocab_size": 300,
    "max_position_embeddings": 64,
}
LONGER = {"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 99]}}
ODD = [float("inf"), float("nan"), 0, -64, 64.5, "64", None, 10**30, [64]]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    return tmp_path


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_sizes_that_no_model_has_are_refused_in_words(folder, name, value):
    (folder / "config.json").write_text(json.dumps(LLAMA | {name: value}))
    with pytest.raises(UnservableError):
        write_graph(folder, "fp32")
    with pytest.raises(TrainingError):
        shape_of(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\udcff"])
def test_a_config_that_is_no_object_is_refused_in_words(folder, text):
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UnservableError, match="config"):
        write_graph(folder, "fp32")


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"PK",
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", len(json.dumps(LONGER))) + json.dumps(LONGER).encode(),
    ],
)
def test_weights_that_lie_about_themselves_are_refused_in_words(folder, weights):
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(UnservableError, match="weights"):
        write_graph(folder, "fp32")
