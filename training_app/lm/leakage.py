"""The leakage check: how much of the validation text stands word for word in the training text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RUN_TOKENS = 13  # in a row; the length of GPT-3's contamination check (Brown et al. 2020, app. C)
_MOST_VALIDATION_TOKENS = 200_000  # looked at, from the front; chosen by hand
_CHUNK = 1 << 20  # training tokens in memory at once; chosen by hand
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: spreads neighbouring ids


def leaked_share(train: NDArray[Any], validation: NDArray[Any]) -> float:
    """Return the share (0 to 1) of validation tokens in runs that training has too.

    Both are flat arrays of token ids, (N,); training may be memory-mapped and is read in pieces.
    Runs are compared by 64-bit hashes, so a false hit is not to be expected.
    """
    looked_at = np.asarray(validation[:_MOST_VALIDATION_TOKENS])
    wanted = _hashes(looked_at)
    if not len(wanted):
        return 0.0
    known, places = np.unique(wanted, return_inverse=True)
    is_known = np.zeros(len(known), dtype=bool)
    for first in range(0, max(1, len(train) - RUN_TOKENS + 1), _CHUNK):
        there = _hashes(np.asarray(train[first : first + _CHUNK + RUN_TOKENS - 1]))
        at = np.searchsorted(known, there).clip(max=len(known) - 1)
        is_known[at[known[at] == there]] = True
    covered = np.zeros(len(looked_at) + 1, dtype=np.int64)
    starts = np.flatnonzero(is_known[places])
    np.add.at(covered, starts, 1)
    np.add.at(covered, starts + RUN_TOKENS, -1)
    return float((covered.cumsum()[:-1] > 0).mean())


def _hashes(tokens: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a hash of every run of RUN_TOKENS tokens, (N - RUN_TOKENS + 1,) or (0,)."""
    count = len(tokens) - RUN_TOKENS + 1
    found = np.zeros(max(0, count), dtype=np.uint64)
    if count > 0:
        ids = tokens.astype(np.uint64) + np.uint64(1)
        for offset in range(RUN_TOKENS):
            found = found * _FACTOR + ids[offset : offset + count]
            found ^= found >> np.uint64(29)
    return found
