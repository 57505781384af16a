"""Tokenizers sized to their data, saved so that transformers opens them as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from training_app.lm.config import TrainingError
from training_app.lm.otto_template import CONTROL_TOKENS
from training_app.lm.template import entries_of
from training_app.lm.tokenizer_kinds import supported


@dataclass(frozen=True, slots=True)
class TrainedTokenizer:
    """A tokenizer, and the sentence that says why it is smaller than wished, if it is."""

    tokenizer: Tokenizer
    note: str = ""


def train_bpe(texts: Iterable[str], vocab_size: int) -> TrainedTokenizer:
    """Return a byte-level BPE of these texts; it never has more entries than they support.

    BPE: Sennrich et al. 2016, section 3.2; on bytes: Radford et al. 2019, section 2.2. `texts` is
    iterated twice: once to count, once to learn. Raises TrainingError where they are all empty.
    """
    byte_count = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    if not byte_count:
        raise TrainingError("There is no text to make a tokenizer of: every turn is empty.")
    tokenizer = _byte_level(models.BPE())
    tokenizer.train_from_iterator(iter(texts), _trainer(supported(vocab_size, byte_count)))
    return TrainedTokenizer(tokenizer, _note(tokenizer.get_vocab_size(), vocab_size, byte_count))


def bytes_only(texts: Iterable[str], vocab_size: int) -> TrainedTokenizer:
    """Return a tokenizer of the 256 bytes and the control tokens, whatever size is wished.

    ByT5 (Xue et al. 2022, section 3). Raises TrainingError where the texts are all empty.
    """
    if not any(texts):
        raise TrainingError("There is no text to train on: every turn is empty.")
    entries = [*CONTROL_TOKENS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = _byte_level(models.BPE({entry: n for n, entry in enumerate(entries)}, []))
    with_control_tokens(tokenizer)
    return TrainedTokenizer(tokenizer)


def _byte_level(model: Any) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _trainer(entries: int) -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=entries,
        min_frequency=2,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )


def _note(entries: int, wished: int, byte_count: int) -> str:
    if entries >= wished:
        return ""
    return (
        f"The vocabulary has {entries:,} entries instead of {wished:,}: that is what"
        f" {byte_count / 1000:,.0f} kB of text support."
    )


def with_control_tokens(tokenizer: Tokenizer) -> int:
    """Add the control tokens that a foreign tokenizer lacks; return how many were added."""
    missing = [token for token in CONTROL_TOKENS if tokenizer.token_to_id(token) is None]
    added: int = tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in missing]
    )
    return added


def token_bytes(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return the bytes of text that each id stands for, (vocab_size,); control tokens have none."""
    byte_level = isinstance(tokenizer.decoder, decoders.ByteLevel)
    controls = set(tokenizer.get_added_tokens_decoder())
    lengths = np.zeros(entries_of(tokenizer), dtype=np.int64)
    for token, number in tokenizer.get_vocab().items():
        if number not in controls:
            lengths[number] = len(token) if byte_level else _piece_bytes(token)
    return lengths


def _piece_bytes(piece: str) -> int:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return 1  # SentencePiece's way to write a single byte
    return len(piece.removeprefix("##").replace("▁", " ").encode("utf-8", "surrogatepass"))
