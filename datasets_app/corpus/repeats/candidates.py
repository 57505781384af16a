"""Pairs of sketches that may be similar: what shares a band, thinned by what sketches estimate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.repeats.sketch import Keys

FULL_BUCKET = 200  # more share a band only where texts follow a pattern
NEIGHBOURS = 12  # of each in such a bucket
CHUNK = 500_000

Pairs = npt.NDArray[np.int64]  # (n, 2), each pair once, the smaller place first


def pairs_of(band_keys: Iterator[Keys], size: int) -> Pairs:
    """Return the places that share a key of one band; one array of keys (n,) for each band."""
    found: list[npt.NDArray[np.int64]] = []
    for keys in band_keys:
        found.append(_pairs_of_band(keys, size))
        if sum(map(len, found)) > CHUNK * 8:
            found = [np.unique(np.concatenate(found))]
    codes = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    return np.stack([codes // max(1, size), codes % max(1, size)], axis=1)


def _pairs_of_band(keys: Keys, size: int) -> npt.NDArray[np.int64]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    shared = lengths > 1
    starts, lengths = starts[shared], lengths[shared]
    found = []
    # the place behind, two behind, …: each step is one operation over all buckets
    reach = np.where(lengths > FULL_BUCKET, NEIGHBOURS, lengths - 1)
    place = np.repeat(starts, lengths) + _counting(lengths)
    left = np.repeat(starts + lengths, lengths) - place - 1  # members behind it
    most = np.minimum(left, np.repeat(reach, lengths))
    for step in range(1, int(most.max(initial=0)) + 1):
        place, most = place[most >= step], most[most >= step]
        one, other = order[place], order[place + step]
        low, high = np.minimum(one, other), np.maximum(one, other)
        found.append(low.astype(np.int64) * size + high)
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _counting(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def estimated(marks: npt.NDArray[np.uint8], pairs: Pairs) -> npt.NDArray[np.float64]:
    """Return about how similar the texts of each pair are."""
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), CHUNK // 4):
        chunk = pairs[start : start + CHUNK // 4]
        equal = (marks[chunk[:, 0]] == marks[chunk[:, 1]]).mean(axis=1)
        found[start : start + len(chunk)] = (equal - 1 / 256) / (1 - 1 / 256)
    return found


def likeliest(pairs: Pairs, estimates: npt.NDArray[np.float64], *, least: float) -> Pairs:
    """Return the pairs with at least this estimate, of each text with the most similar ones only.

    Where texts follow a pattern, each is like all others: some are enough to join them.
    """
    chosen = estimates >= least
    pairs, estimates = pairs[chosen], estimates[chosen]
    order = np.lexsort((-estimates, pairs[:, 0]))
    pairs = pairs[order]
    starts = np.flatnonzero(np.r_[True, pairs[1:, 0] != pairs[:-1, 0]])[: len(pairs)]
    lengths = np.diff(np.r_[starts, len(pairs)])
    return pairs[_counting(lengths) < NEIGHBOURS]
