"""Sentence encoders: the graph gives what BERT gives, and which graph is kept."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from tests.training_app.lm.bases.toys import TEXTS, write_encoder
from training_app.lm.bases import encoder_folder, encoder_gate
from training_app.lm.bases.encoder_folder import write_encoder as write_folder
from training_app.lm.bases.encoder_graph import build_encoder
from training_app.lm.bases.encoder_shape import encoder_shape
from training_app.lm.bases.errors import BaseError

MANY = [f"{text} {number}" for number in range(13) for text in TEXTS]


def ids_of(folder, texts, most=40):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def padded(ids):
    tokens = np.zeros((len(ids), max(map(len, ids))), np.int64)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = one
    mask = np.array([[int(n < len(one)) for n in range(tokens.shape[1])] for one in ids])
    return {"input_ids": tokens, "attention_mask": mask.astype(np.int64)}


def bert_vectors(network, given):
    tokens, mask = (torch.from_numpy(given[name]) for name in ("input_ids", "attention_mask"))
    with torch.no_grad():
        states = network(input_ids=tokens, attention_mask=mask).last_hidden_state
    kept = mask[..., None].float()
    means = (states * kept).sum(1) / kept.sum(1)
    return torch.nn.functional.normalize(means).numpy()


def vectors(graph, given):
    content = graph if isinstance(graph, bytes) else graph.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["vectors"], given)[0]


def graph_of(folder, precision):
    weights = load_file(folder / "model.safetensors")
    return build_encoder(encoder_shape(folder), weights, precision)


def test_the_graph_gives_the_vectors_of_bert(tmp_path):
    network = write_encoder(tmp_path)
    given = padded(ids_of(tmp_path, MANY))
    ours, theirs = vectors(graph_of(tmp_path, "fp32"), given), bert_vectors(network, given)
    assert (ours * theirs).sum(axis=1).min() > 0.99999
    assert np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_vector_does_not_depend_on_the_texts_beside_it(tmp_path, precision):
    write_encoder(tmp_path)
    graph, ids = graph_of(tmp_path, precision), ids_of(tmp_path, MANY)
    together = vectors(graph, padded(ids))
    alone = np.concatenate([vectors(graph, padded([one])) for one in ids[:8]])
    assert np.allclose(together[:8], alone, atol=1e-5)


def test_the_folder_keeps_the_graph_that_the_gate_lets_through(tmp_path, monkeypatch):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    monkeypatch.setattr(encoder_gate, "LEAST_COSINE", 2.0)
    facts = write_folder(source, target, name="toy")
    assert facts["precision"] == "fp32"
    assert (facts["dims"], facts["max_tokens"]) == (48, 40)
    assert json.loads((target / "encoder.json").read_text()) == facts
    given = padded(ids_of(target, TEXTS))
    expected = vectors(graph_of(source, "fp32"), given)
    kept = (target / "encoder.onnx").read_bytes()
    assert np.array_equal(vectors(kept, given), expected)
    assert 0.9 < facts["int8_cosine"] <= 1


def test_a_tokenizer_is_kept_without_what_it_cut_and_filled(tmp_path):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(source / "tokenizer.json"))
    write_folder(source, target, name="toy")
    kept = json.loads((target / "tokenizer.json").read_text())
    assert (kept["truncation"], kept["padding"]) == (None, None)


def test_half_precision_weights_are_read(tmp_path):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    network = write_encoder(source)
    network.half().save_pretrained(source)
    write_folder(source, target, name="toy")
    given = padded(ids_of(target, TEXTS))
    ours = vectors((target / "encoder.onnx").read_bytes(), given)
    assert (ours * bert_vectors(network.float(), given)).sum(axis=1).min() > 0.99


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "deberta"}, "of the kind “deberta”"),
        ({"hidden_act": "relu"}, "activation is “relu”"),
        ({"num_attention_heads": 5}, "cannot share"),
        ({"hidden_size": 10**9}, "as its width"),
        ({"num_hidden_layers": 3}, "encoder.layer.2.* is missing"),
        ({"vocab_size": 7}, "word_embeddings.weight is"),
        ({"max_position_embeddings": "many"}, "positions"),
        ({"position_embedding_type": "relative_key"}, "relative positions"),
        ({"pad_token_id": "none"}, "pad_token_id"),
        ({"layer_norm_eps": [1]}, "layer_norm_eps"),
    ],
)
def test_a_configuration_that_lies_is_refused(tmp_path, changes, sentence):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(BaseError, match=sentence):
        write_folder(source, target, name="toy")


def test_an_encoder_that_no_graph_holds_is_refused(tmp_path, monkeypatch):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    monkeypatch.setattr(encoder_folder, "MOST_WEIGHTS", 1_000)
    with pytest.raises(BaseError, match=r"weights; OTTO takes in up to 1,000, because"):
        write_folder(source, target, name="toy")
    assert not list(target.iterdir())


@pytest.mark.parametrize(
    ("name", "said", "sentence"),
    [
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "kind “Dense”"),
        ("modules.json", {"type": 1}, "modules.json cannot be read"),
        ("1_Pooling/config.json",
         {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "neither"),
    ],
)  # fmt: skip
def test_an_encoder_that_does_more_than_otto_would_is_refused(tmp_path, name, said, sentence):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).write_text(json.dumps(said))
    with pytest.raises(BaseError, match=sentence):
        write_folder(source, target, name="toy")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    source, target = tmp_path / "hf", tmp_path / "made"
    target.mkdir()
    write_encoder(source)
    weights = load_file(source / "model.safetensors")
    name = "embeddings.LayerNorm.bias"
    weights[name] = np.full_like(weights[name], np.nan)
    save_file(weights, source / "model.safetensors")
    with pytest.raises(BaseError, match="no numbers"):
        write_folder(source, target, name="toy")
