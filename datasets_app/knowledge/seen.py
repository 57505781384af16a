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

    def places(self, numbers: Sequence[int]) -> list[int | None]:
        """Return where each number stood first."""
        at, there = self._look_up(np.array(numbers, np.uint64))
        found = self._places[np.where(there, at, 0)] if there.any() else at
        return [int(one) if is_there else None for one, is_there in zip(found, there, strict=True)]

    def add(self, numbers: Sequence[int]) -> None:
        """Take the numbers of the next places."""
        found, first = np.unique(np.array(numbers, np.uint64), return_index=True)
        at, there = self._look_up(found)
        self._numbers = np.insert(self._numbers, at[~there], found[~there])
        self._places = np.insert(self._places, at[~there], first[~there] + self.count)
        self.count += len(numbers)

    def _look_up(
        self, numbers: npt.NDArray[np.uint64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Return where each number (n,) stands or would stand, and whether it is there."""
        at = np.searchsorted(self._numbers, numbers)
        there = np.zeros(len(numbers), bool)
        inside = at < len(self._numbers)
        there[inside] = self._numbers[at[inside]] == numbers[inside]
        return at, there
