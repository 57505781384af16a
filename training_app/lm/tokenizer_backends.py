"""Tokenizers that are made by themselves, before a run: which kinds, of what, how good.

All of them cut bytes, so that any text comes back exactly, whatever they learnt.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training_app.lm.config import ConfigError, shown
from training_app.lm.registry import Choice

BOUNDS: dict[str, tuple[float, float]] = {
    "vocab_size": (128, 262_144),
    "min_frequency": (1, 1_000_000),
    "holdout_fraction": (0, 0.5),
    "seed": (0, 2**31 - 1),
}
OTHER_NAMES = {"sentencepiece": "unigram"}  # of the earlier system
MOST_LINES = 10_000  # lines kept back that are measured


BACKENDS = {
    "bpe": Choice(
        "byte-level BPE",
        "joins the pairs of pieces that your data repeat most; what runs use by themselves",
        "training_app.lm.tokenizer_training:bpe",
    ),
    "unigram": Choice(
        "unigram (SentencePiece’s kind)",
        "keeps the pieces by which your data are most likely; wants some thousand different words",
        "training_app.lm.tokenizer_training:unigram",
    ),
    "wordpiece": Choice(
        "WordPiece",
        "takes the longest piece that fits, again and again, as BERT’s does",
        "training_app.lm.tokenizer_training:wordpiece",
    ),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What somebody wants of a tokenizer. Raises ConfigError for a value out of bounds."""

    method: str = "bpe"
    vocab_size: int = 4096  # entries wished for; small data give fewer, bytes alone are 261
    min_frequency: int = 2  # how often an entry must occur in what is learned from
    holdout_fraction: float = 0.01  # of the conversations, kept back to measure with
    seed: int = 42  # which ones

    def __post_init__(self) -> None:
        if self.method not in BACKENDS:
            known = ", ".join(BACKENDS)
            raise ConfigError("method", f"Choose one of {known}, not {shown(self.method)}.")
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                words = name.replace("_", " ")
                raise ConfigError(
                    name, f"The {words} must be from {low:,g} to {high:,g}, not {shown(value)}."
                )

    def as_json(self) -> dict[str, Any]:
        """Return the values by their names."""
        return asdict(self)


class Parted:
    """Texts in two parts that are the same at each iteration: to learn from, and kept back."""

    def __init__(self, texts: Iterable[Sequence[str]], recipe: Recipe, *, kept_back: bool) -> None:
        self._texts, self._recipe, self._kept_back = texts, recipe, kept_back

    def __iter__(self) -> Iterator[str]:
        """Yield the texts of the conversations that were drawn for this part."""
        draw = random.Random(self._recipe.seed)  # noqa: S311 - repeatable, not secret
        for turns in self._texts:
            if (draw.random() < self._recipe.holdout_fraction) == self._kept_back:
                yield from turns


@dataclass(frozen=True, slots=True)
class Measured:
    """How a tokenizer does on lines; shares are from 0 to 1."""

    lines: int
    characters: int
    token_count: int
    coverage: float  # 1 - unknown / tokens: 1 wherever bytes are cut
    oov_rate: float  # unknown / tokens
    char_coverage: float  # characters that are no leftovers of bytes
    characters_per_token: float
    exact: bool  # every line came back as it was
    most_used: tuple[tuple[str, int], ...]  # what the tokens say, and how often

    def as_json(self) -> dict[str, Any]:
        """Return the values by their names."""
        return asdict(self)


def lines_of(texts: Iterable[str]) -> Iterator[str]:
    """Yield the lines of texts that hold anything, at most `MOST_LINES`."""
    count = 0
    for text in texts:
        for line in text.split("\n"):
            if line.strip():
                yield line
                count += 1
                if count >= MOST_LINES:
                    return


def most_common(counts: Counter[str], most: int = 40) -> tuple[tuple[str, int], ...]:
    """Return the most frequent with their counts, in an order that never changes."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])
