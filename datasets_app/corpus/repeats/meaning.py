"""Pairs of questions that mean the same: vectors near each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
# From which cosine on two questions are held for one: of pairs that people read with the bundled
# encoder, “ship to” and “deliver to Norway” have 0.88, but “open” and “close” have 0.87.
NEAR = 0.88
ALL_WITH_ALL = 20_000  # vectors: of more only those in one neighbourhood are compared
A_NEIGHBOURHOOD = 400
NEIGHBOURHOODS = 2  # of each vector
BLOCK = 2_048


def near_pairs(
    vectors: Vectors, *, least: float = NEAR, still: Callable[[], None] = lambda: None
) -> dict[tuple[int, int], float]:
    """Return the pairs with at least this cosine; `still` is called now and then."""
    found: dict[tuple[int, int], float] = {}
    for members in _neighbourhoods(vectors):
        found |= _pairs_in(vectors, members, least)
        still()
    return found


def _pairs_in(
    vectors: Vectors, members: npt.NDArray[np.int64], least: float
) -> dict[tuple[int, int], float]:
    found = {}
    inside = vectors[members]
    for start in range(0, len(members), BLOCK):
        cosines = inside[start : start + BLOCK] @ inside[start:].T
        for left, right in np.argwhere(np.triu(cosines, 1) >= least):
            one, other = int(members[start + left]), int(members[start + right])
            found[min(one, other), max(one, other)] = float(cosines[left, right])
    return found


def _neighbourhoods(vectors: Vectors) -> Iterator[npt.NDArray[np.int64]]:
    """Yield places to compare with each other: all, or those nearest to one of some vectors."""
    count = len(vectors)
    if count <= ALL_WITH_ALL:
        yield np.arange(count)
        return
    chosen = np.random.default_rng(1).choice(count, count // A_NEIGHBOURHOOD, replace=False)
    middles = vectors[np.sort(chosen)]
    nearest = np.empty((count, NEIGHBOURHOODS), np.int64)
    for start in range(0, count, BLOCK):
        cosines = vectors[start : start + BLOCK] @ middles.T
        ranked = np.argpartition(cosines, -NEIGHBOURHOODS, axis=1)[:, -NEIGHBOURHOODS:]
        nearest[start : start + BLOCK] = ranked
    flat = nearest.ravel()
    order = np.argsort(flat, kind="stable")
    yield from np.split(order // NEIGHBOURHOODS, np.flatnonzero(np.diff(flat[order])) + 1)
