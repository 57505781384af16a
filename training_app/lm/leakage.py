"""The leakage check: how much of the validation text stands word for word in the training text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_app.lm.bands import GPT2_BYTES_PER_TOKEN

RUN_TOKENS = 13  # in a row; the length of GPT-3's contamination check (Brown et al. 2020, app. C)
_MOST_VALIDATION_TOKENS = 200_000  # looked at, from the front; chosen by hand
_CHUNK = 1 << 20  # training tokens in memory at once; chosen by hand
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: spreads neighbouring ids


def run_length(bytes_per_token: float) -> int:
    """Return how many tokens in a row are no chance: as much text as 13 tokens of GPT-3's hold.

    Where a token is a single byte, 13 of them are a word or two, which any two texts share.
    """
    return max(RUN_TOKENS, round(RUN_TOKENS * GPT2_BYTES_PER_TOKEN / max(1.0, bytes_per_token)))


def leaked_share(
    train: NDArray[Any], validation: NDArray[Any], *, run_tokens: int = RUN_TOKENS
) -> float:
    """Return the share (0 to 1) of validation tokens in runs that training has too.

    Both are flat arrays of token ids, (N,); training may be memory-mapped and is read in pieces.
    Runs are compared by 64-bit hashes, so a false hit is not to be expected.
    """
    looked_at = np.asarray(validation[:_MOST_VALIDATION_TOKENS])
    wanted = _hashes(looked_at, run_tokens)
    if not len(wanted):
        return 0.0
    known, places = np.unique(wanted, return_inverse=True)
    is_known = np.zeros(len(known), dtype=bool)
    for first in range(0, max(1, len(train) - run_tokens + 1), _CHUNK):
        there = _hashes(np.asarray(train[first : first + _CHUNK + run_tokens - 1]), run_tokens)
        at = np.searchsorted(known, there).clip(max=len(known) - 1)
        is_known[at[known[at] == there]] = True
    covered = np.zeros(len(looked_at) + 1, dtype=np.int64)
    starts = np.flatnonzero(is_known[places])
    np.add.at(covered, starts, 1)
    np.add.at(covered, starts + run_tokens, -1)
    return float((covered.cumsum()[:-1] > 0).mean())


def _hashes(tokens: NDArray[Any], run_tokens: int) -> NDArray[np.uint64]:
    """Return a hash of every run of so many tokens, (N - run_tokens + 1,) or (0,)."""
    count = len(tokens) - run_tokens + 1
    found = np.zeros(max(0, count), dtype=np.uint64)
    if count > 0:
        ids = tokens.astype(np.uint64) + np.uint64(1)
        for offset in range(run_tokens):
            found = found * _FACTOR + ids[offset : offset + count]
            found ^= found >> np.uint64(29)
    return found
