"""Sketches of texts: similar texts have similar ones, and they are found without comparing all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
import rensa

PERMUTATIONS = 128
ROWS = 4  # of a band
BANDS = PERMUTATIONS // ROWS
ASKED_PERMUTATIONS, ASKED_ROWS = 64, 8
ASKED_BANDS = ASKED_PERMUTATIONS // ASKED_ROWS
SEED = 42
LONG_WORDS = 60  # from here on runs of three words are compared, below of four signs
SIGNS, WORDS = 4, 3

Keys = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Sketches:
    """One line for each text: a key per band, and the lowest byte of each permutation."""

    bands: npt.NDArray[np.uint32]
    marks: npt.NDArray[np.uint8]


def pieces(text: str, *, is_long: bool) -> set[str]:
    """Return the runs of a bare text whose share is the similarity of two texts."""
    if is_long:
        words = text.split()
        return {" ".join(words[n : n + WORDS]) for n in range(max(1, len(words) - WORDS + 1))}
    return {text[n : n + SIGNS] for n in range(max(1, len(text) - SIGNS + 1))}


def similarity(left: str, right: str, *, is_long: bool) -> float:
    """Return the share of runs that both bare texts have."""
    one, other = pieces(left, is_long=is_long), pieces(right, is_long=is_long)
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def sketches(texts: Sequence[str], lengths: Sequence[int]) -> Sketches:
    """Return the sketches of bare texts with so many words."""
    digests = _digests(texts, [length >= LONG_WORDS for length in lengths], PERMUTATIONS)
    return Sketches(_bands(digests, ROWS), digests.astype(np.uint8))


def asked_bands(questions: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Return a line of keys for each bare question; the very similar have one in common."""
    digests = _digests(questions, [False] * len(questions), ASKED_PERMUTATIONS)
    return _bands(digests, ASKED_ROWS)


def _digests(texts: Sequence[str], long: Sequence[bool], size: int) -> npt.NDArray[np.uint32]:
    hashed = [_of_words(t) if far else _of_signs(t) for t, far in zip(texts, long, strict=True)]
    ends = np.cumsum([0, *map(len, hashed)], dtype=np.uint64)
    flat = np.concatenate(hashed) if hashed else np.empty(0, np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(flat, ends, size, SEED)
    return np.array(matrix.to_rows(), np.uint32).reshape(len(texts), size)


def _of_signs(text: str) -> Keys:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    return _runs(codes, SIGNS)


def _of_words(text: str) -> Keys:
    told = text.encode("utf-8", "surrogatepass").split()
    return _runs(np.fromiter(map(crc32, told), np.uint64, len(told)), WORDS)


def _runs(codes: Keys, length: int) -> Keys:
    """Return a key of each run of so many codes; of fewer, one of all of them."""
    count = max(1, len(codes) - length + 1)
    keys = np.zeros(count, np.uint64)
    for place in range(min(length, len(codes))):
        keys = (keys ^ codes[place : place + count]) * _MIX
        keys ^= keys >> np.uint64(29)
    return keys


def _bands(digests: npt.NDArray[np.uint32], rows: int) -> npt.NDArray[np.uint32]:
    parts = digests.reshape(len(digests), digests.shape[1] // rows, rows).astype(np.uint64)
    keys = np.zeros(parts.shape[:2], np.uint64)
    for place in range(rows):
        keys = (keys ^ parts[:, :, place]) * _MIX
        keys ^= keys >> np.uint64(29)
    return (keys >> np.uint64(32)).astype(np.uint32)
