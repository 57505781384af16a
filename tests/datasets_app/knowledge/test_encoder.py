"""An encoder's folder gives vectors, whatever the text; a broken one says so."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.errors import KnowledgeError
from tests.datasets_app.knowledge.toys import DIMS, toy_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return Encoder.open(toy_encoder(tmp_path_factory.mktemp("encoders") / "toy"), threads=2)


def test_vectors_have_length_one_and_stand_in_the_order_of_the_texts(encoder):
    texts = ["where", "where is my order and how much is it", "tent", "open shop"] * 70
    vectors = encoder.encode(texts)
    assert vectors.shape == (280, DIMS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    for text, vector in zip(texts[:4], vectors, strict=False):
        assert np.allclose(encoder.encode([text])[0], vector, atol=1e-6)


def test_no_text_is_too_long_or_too_strange(encoder):
    vectors = encoder.encode(["", "\x00\x1f", "\ud800", "where " * 50_000, "x" * 1_000_000])
    assert np.isfinite(vectors).all()
    assert encoder.encode([]).shape == (0, DIMS)


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.json", "tokenizer.json"])
def test_a_broken_encoder_is_refused_in_a_sentence(tmp_path, name):
    folder = toy_encoder(tmp_path / "broken")
    (folder / name).write_text("{")
    with pytest.raises(KnowledgeError, match="The encoder broken cannot be loaded"):
        Encoder.open(folder)
    (folder / name).unlink()
    with pytest.raises(KnowledgeError, match="The encoder broken cannot be loaded"):
        Encoder.open(folder)
