"""A toy encoder, whose vectors are near where words are shared, and small rows."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.knowledge.pieces import Row

DIMS = 32
WORDS = (
    "where is my order parcel refund price tent boots open closed shop when how much it red blue"
)


def toy_encoder(folder, *, words=WORDS, dims=DIMS):
    """Write an encoder's folder: each known word has a direction, a text is their mean."""
    folder.mkdir(parents=True)
    vocabulary = {"[UNK]": 0, **{word: n for n, word in enumerate(words.split(), start=1)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_padding(length=40)  # as packages ship it
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(5).standard_normal((len(vocabulary), dims)).astype(np.float32)
    onnx.save(_graph(table), str(folder / "encoder.onnx"))
    facts = {
        "name": folder.name,
        "dims": dims,
        "max_tokens": 64,
        "sha256": hashlib.sha256((folder / "encoder.onnx").read_bytes()).hexdigest(),
        "precision": "fp32",
    }
    (folder / "encoder.json").write_text(json.dumps(facts))
    return folder


def _graph(table):
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", table.shape[1]])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["each", "wide"], ["told"]),
        helper.make_node("ReduceSum", ["told", "tokens_axis"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["vectors"], axis=1, p=2),
    ]
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([2]), "last"),
        numpy_helper.from_array(np.array([1]), "tokens_axis"),
    ]
    graph = helper.make_graph(nodes, "toy", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


def talk(*texts):
    roles = ("user", "assistant") * len(texts)
    return Conversation(tuple(Turn(role, text) for role, text in zip(roles, texts, strict=False)))


def rows(*conversations, split="train", first=1):
    """Return rows whose ids are far from their positions, as in a real version."""
    return [
        Row(position, 1_000_000 + position, one.row_hash(), split, one)
        for position, one in enumerate(
            (passage(one) if isinstance(one, str) else one for one in conversations), start=first
        )
    ]
