"""A sentence encoder's folder as OTTO uses it, made of one in Hugging Face's layout."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training_app.lm.bases import encoder_gate
from training_app.lm.bases.encoder_graph import PRECISIONS, Precision, build_encoder
from training_app.lm.bases.encoder_shape import EncoderShape, encoder_shape
from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.weights_file import Array, Tensor, read_folder

MOST_WEIGHTS = 400_000_000  # of an encoder: a graph holds 2 GB, and each takes four bytes
GRAPH, FACTS = "encoder.onnx", "encoder.json"
_PREFIXES = ("", "bert.", "roberta.", "model.")  # under which models keep the same names
_KINDS = "embeddings.token_type_embeddings.weight"


def write_encoder(source: Path, target: Path, *, name: str) -> dict[str, Any]:
    """Fill `target` with encoder.onnx, tokenizer.json and encoder.json; return what the last says.

    The graph is int8 where that gives almost the same vectors and is faster, else fp32. Raises
    BaseError where the source is no encoder that OTTO can use.
    """
    shape = encoder_shape(source)
    weights = _weights(source, shape)
    tokenizer = _tokenizer(source, shape)
    graphs = {kind: build_encoder(shape, weights, kind) for kind in PRECISIONS}
    measured = {
        kind: encoder_gate.measure(graph, tokenizer, max_tokens=shape.max_tokens)
        for kind, graph in graphs.items()
    }
    if not np.isfinite(measured["fp32"].vectors).all():
        raise BaseError("The encoder's weights give no vectors: some of them are no numbers.")
    cosine = float(np.nan_to_num(encoder_gate.mean_cosine(measured["int8"], measured["fp32"])))
    is_faster = measured["int8"].speed > measured["fp32"].speed
    precision: Precision = "int8" if cosine >= encoder_gate.LEAST_COSINE and is_faster else "fp32"
    content = graphs[precision].SerializeToString()
    (target / GRAPH).write_bytes(content)
    tokenizer.no_truncation()
    tokenizer.save(str(target / "tokenizer.json"))
    facts = {
        "name": name,
        "dims": shape.width,
        "max_tokens": shape.max_tokens,
        "sha256": hashlib.sha256(content).hexdigest(),
        "precision": precision,
        "parameters": int(sum(tensor.size for tensor in weights.values())),
        "int8_cosine": round(cosine, 5),
        "int8_same_neighbours": encoder_gate.same_neighbours(measured["int8"], measured["fp32"]),
        "texts_per_second": {kind: round(one.speed, 1) for kind, one in measured.items()},
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    (target / FACTS).write_text(text, encoding="utf-8")
    return facts


def _weights(folder: Path, shape: EncoderShape) -> Mapping[str, Array]:
    """Return the weights that the graph needs, as fp32, each in the size that it must have."""
    stored = read_folder(folder)
    prefix = next((p for p in _PREFIXES if f"{p}{_KINDS}" in stored), "")
    kinds = stored.get(f"{prefix}{_KINDS}")
    sizes = {_KINDS: (kinds.shape[0] if kinds else 1, shape.width), **shape.weights()}
    if (count := sum(map(math.prod, sizes.values()))) > MOST_WEIGHTS:
        raise BaseError(
            f"The encoder has {count:,} weights; OTTO takes in up to {MOST_WEIGHTS:,}, because they"
            " must fit into one graph. Take a smaller one."
        )
    return {name: _weight(stored, prefix + name, size) for name, size in sizes.items()}


def _weight(stored: Mapping[str, Tensor], name: str, size: tuple[int, ...]) -> Array:
    tensor = stored.get(name)
    if tensor is None or tensor.shape != size:
        found = "missing" if tensor is None else f"{tensor.shape}"
        raise BaseError(f"The encoder's weight {name} is {found}, but must be {size}.")
    return tensor.read()


def _tokenizer(source: Path, shape: EncoderShape) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str((source / "tokenizer.json").read_text("utf-8"))
    except Exception as error:  # the library raises bare ones for a file that it cannot read
        raise BaseError(f"The encoder's tokenizer.json cannot be read: {error}.") from error
    if max(tokenizer.get_vocab().values(), default=0) >= shape.vocab:
        raise BaseError("The encoder's tokenizer has more entries than its weights.")
    return tokenizer
