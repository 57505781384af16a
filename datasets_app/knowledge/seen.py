"""Numbers that were seen before, and where: in two arrays, so that millions stay small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class Seen:
    """Numbers in the order in which they came; each stands at its first place."""

    def __init__(self, numbers: npt.NDArray[np.uint64]) -> None:
        """Take numbers (n,) that stand at the places 0 to n - 1."""
        self._numbers, self._places = np.unique(numbers, return_index=True)
        self.count = len(numbers)

    def place(self, number: int) -> int | None:
        """Return where a number stood first."""
        at = int(np.searchsorted(self._numbers, np.uint64(number)))
        is_there = at < len(self._numbers) and int(self._numbers[at]) == number
        return int(self._places[at]) if is_there else None

    def add(self, numbers: Sequence[int]) -> None:
        """Take the numbers of the next places."""
        found, first = np.unique(np.array(numbers, np.uint64), return_index=True)
        at = np.searchsorted(self._numbers, found)
        there = np.zeros(len(found), bool)
        inside = at < len(self._numbers)
        there[inside] = self._numbers[at[inside]] == found[inside]
        self._numbers = np.insert(self._numbers, at[~there], found[~there])
        self._places = np.insert(self._places, at[~there], first[~there] + self.count)
        self.count += len(numbers)
