"""Whether an encoder's int8 graph may stand for the fp32 one: measured on texts of many kinds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto
from tokenizers import Tokenizer

from training_app.lm.bases.weights_file import Array

LEAST_COSINE = 0.99  # of int8 to fp32, on average
_ROUNDS = 3  # the best of them counts: a busy machine slows single ones
TEXTS = (
    "Where is my parcel?",
    "My order JP-512 has not arrived yet, can you check where it is?",
    "How much is delivery to Poland?",
    "Delivery to Poland costs 8 euros and takes three to five working days.",
    "Can I return a lamp that I have used for two weeks?",
    "You can send it back within 30 days, in its box; we pay the postage.",
    "The screen of my phone stays black after the update.",
    "Hold the power button for ten seconds, then connect the charger.",
    "I forgot my password and the reset mail does not come.",
    "Please look into your spam folder; the mail is valid for one hour.",
    "Is there a table free for four people on Friday at half past seven?",
    "We are open from nine to five, on Saturdays until one o'clock.",
    "The invoice of 12 March names the wrong address.",
    "refund",
    "and in blue?",
    "What is the warranty on the kettle with the glass jug?",
    "Two years from the day of purchase, with the receipt.",
    "Do you ship batteries by air?",
    "No: lithium batteries go by road only, which adds two days.",
    "The train to the airport leaves every twenty minutes from platform 3.",
    "A contract can be cancelled at the end of each month, in writing.",
    "My card was charged twice for the same order!",
    "We have refunded the second payment of 49.90; your bank needs up to five days.",
    "Which plan includes more than ten users?",
    "The team plan has up to 25 users, the company plan has no limit.",
    "Wo ist mein Paket geblieben?",
    "¿Cuánto cuesta el envío a España?",
    "Quels sont vos horaires d'ouverture ?",
    "Il pagamento con carta è stato rifiutato.",
    "注文した商品はいつ届きますか。",
    "Когда придёт мой заказ?",
    "How do I cancel?",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one graph gave for the texts, and how many of them it does in a second."""

    vectors: Array
    speed: float


def measure(model: ModelProto, tokenizer: Tokenizer, *, max_tokens: int) -> Measured:
    """Return the vectors of the fixed texts; they may come as fast as this machine makes them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(TEXTS))]
    best, vectors = float("inf"), np.zeros((0, 0), np.float32)
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        vectors = np.concatenate([_vector(session, one) for one in ids])
        best = min(best, time.perf_counter() - began)
    return Measured(vectors, len(ids) / best)


def _vector(session: Any, ids: Sequence[int]) -> Array:
    tokens = np.array([ids], np.int64)
    given = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
    vectors: Array = session.run(["vectors"], given)[0]
    return vectors


def mean_cosine(one: Measured, other: Measured) -> float:
    """Return how alike the vectors are on average; both have length one."""
    return float((one.vectors * other.vectors).sum(axis=1).mean())


def same_neighbours(one: Measured, other: Measured) -> float:
    """Return the share of texts that have the same nearest text by both."""
    return float((_nearest(one.vectors) == _nearest(other.vectors)).mean())


def _nearest(vectors: Array) -> Array:
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1.0)
    nearest: Array = alike.argmax(axis=1)
    return nearest
