"""The tokenizers that a run from scratch may choose from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from training_app.lm.registry import Choice

OWN = "own"  # the start model's own, with whatever learned already
_BYTES_PER_ENTRY = 100  # with fewer bytes of text an entry's weights stay untrained; by hand
SMALLEST_VOCABULARY = 384  # the 256 bytes, the control tokens and a first hundred merges
BYTE_ENTRIES = 261  # the 256 bytes and the control tokens


def supported(wished: int, text_bytes: int) -> int:
    """Return how many entries so much text supports, at most those that are wished for."""
    return min(wished, max(SMALLEST_VOCABULARY, text_bytes // _BYTES_PER_ENTRY // 64 * 64))


def single_bytes(wished: int, text_bytes: int) -> int:
    """Return the entries of a tokenizer that merges nothing."""
    return BYTE_ENTRIES


def words(text: str) -> int:
    """Return how many words stand in a text: no entry reaches over white space."""
    return len(re.findall(r"[^ \t\r\n]+", text))


def text_bytes(text: str) -> int:
    """Return how many bytes a text has: each is a token where nothing merges."""
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class TokenizerKind(Choice):
    """A kind of tokenizer; the function takes texts and the wished number of entries."""

    entries: Callable[[int, int], int]  # about how many there will be
    fewest: Callable[[str], int]  # tokens of a text, whatever was learned


TOKENIZERS = {
    "bpe": TokenizerKind(
        "byte-level BPE",
        "learns the pieces of words that your data repeat",
        "training_app.lm.tokenizer:train_bpe",
        entries=supported,
        fewest=words,
    ),
    "byte": TokenizerKind(
        "single bytes",
        "nothing to learn and the smallest dictionary, but a context holds a third of the text",
        "training_app.lm.tokenizer:bytes_only",
        entries=single_bytes,
        fewest=text_bytes,
    ),
}
