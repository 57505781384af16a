"""The rows of an index whose questions mean what one question means, nearest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.repeats.index import Index, Lines

BLOCK = 8_192


@dataclass(frozen=True, slots=True)
class Near:
    """A row as the index knows it; `cosine` says how near its question is."""

    pk: int
    revision: int
    asked: int
    cosine: float


def nearest(index: Index, asked: int, *, least: float, most: int) -> list[Near] | None:
    """Return the rows with at least this cosine; None where the question has no vector."""
    keys = index.vector_keys()
    own = np.flatnonzero(keys == asked)
    if not len(own):
        return None
    lines = _newest(index.lines())
    order = np.argsort(keys)
    places = order[np.minimum(np.searchsorted(keys, lines["asked"], sorter=order), len(keys) - 1)]
    is_known = keys[places] == lines["asked"]
    lines, cosines = lines[is_known], _cosines(index, int(own[0]))[places[is_known]]
    near = np.flatnonzero(cosines >= least)
    first = near[np.lexsort((lines["pk"][near], -cosines[near]))][:most]
    return [
        Near(int(line["pk"]), int(line["revision"]), int(line["asked"]), float(cosine))
        for line, cosine in zip(lines[first], cosines[first], strict=True)
    ]


def _newest(lines: Lines) -> Lines:
    """Return the last line of each row, of those that ask something."""
    _, last = np.unique(lines["pk"][::-1], return_index=True)
    newest = lines[len(lines) - 1 - last]
    return newest[newest["asked"] > 0]


def _cosines(index: Index, place: int) -> npt.NDArray[np.float32]:
    """Return how near each vector is to the one that stands there."""
    rows = index.vector_rows()
    asked = np.asarray(rows[place], np.float32)
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        some = slice(start, start + BLOCK)
        found[some] = np.asarray(rows[some], np.float32) @ asked
    return found
