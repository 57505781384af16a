"""Whether one model is better than another: what both were asked, compared pair by pair.

The interval is a percentile bootstrap over pairs (Efron and Tibshirani 1993, chapter 13); how often
chance alone brings such a difference is an exact sign test where pairs are right or wrong (McNemar
1947), else a test of random signs (Good 2005, chapter 3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000  # chosen by hand; the bounds stay within a twentieth of their width
_SEED = 1  # a page says the same every time
# Chances from which words change; chosen by hand, the middle one by custom.
SURE, LIKELY, PERHAPS = 0.01, 0.05, 0.2


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the second of two is ahead of the first: 95 % interval, and the chance of chance.

    `chance` is how often so large a difference, to either side, comes up where both are equal.
    """

    pairs: int
    value: float
    low: float
    high: float
    chance: float

    @property
    def is_clear(self) -> bool:
        """Return whether chance alone brings it in at most one of twenty cases."""
        return self.chance <= LIKELY

    @property
    def chance_words(self) -> str:
        """Return the chance as a count of a hundred cases."""
        share = 100 * self.chance
        return "fewer than 1 of 100" if share < 1 else f"{share:.0f} of 100"


def compare_answers(first: Sequence[bool], second: Sequence[bool]) -> Difference | None:
    """Return how many more the second has right of the questions that both were asked.

    Both hold an outcome for each question, in the same order. None where there is none.
    """
    pairs = len(first)
    if not pairs:
        return None
    won = sum(b and not a for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    chances = np.array([lost, won, pairs - won - lost]) / pairs
    drawn = np.random.default_rng(_SEED).multinomial(pairs, chances, size=DRAWS)  # (DRAWS, 3)
    low, high = np.percentile(drawn[:, 1] - drawn[:, 0], [2.5, 97.5])
    return Difference(pairs, won - lost, float(low), float(high), _sign_test(won, lost))


def _sign_test(won: int, lost: int) -> float:
    """Return how often a fair coin falls as unevenly, to either side."""
    tosses = won + lost
    tail = sum(math.comb(tosses, heads) for heads in range(min(won, lost) + 1))
    return min(1.0, float(2 * tail / 2**tosses))


def compare_losses(
    first: Sequence[tuple[float, float]], second: Sequence[tuple[float, float]]
) -> Difference | None:
    """Return how many bits per byte the second takes more than the first; less is better.

    Both hold (nats, bytes) of each text, in the same order. None with fewer than two texts.
    """
    pairs = len(first)
    if pairs < 2:
        return None
    ours, theirs = np.array(first, float), np.array(second, float)  # (pairs, 2)
    chance = np.random.default_rng(_SEED)
    weights = chance.multinomial(pairs, np.full(pairs, 1 / pairs), size=DRAWS)  # (DRAWS, pairs)
    drawn = _bits(weights @ theirs) - _bits(weights @ ours)
    low, high = np.percentile(drawn, [2.5, 97.5])
    apart = theirs[:, 0] / theirs[:, 1].sum() - ours[:, 0] / ours[:, 1].sum()  # (pairs,)
    signs = chance.integers(0, 2, size=(DRAWS, pairs)) * 2 - 1
    reached = np.abs(signs @ apart) >= abs(apart.sum()) - 1e-12
    share = (int(reached.sum()) + 1) / (DRAWS + 1)
    value = float(_bits(theirs.sum(axis=0)) - _bits(ours.sum(axis=0)))
    return Difference(pairs, value, float(low), float(high), share)


def _bits(sums: NDArray[Any]) -> NDArray[Any]:
    """Return bits per byte of sums of (nats, bytes), (…, 2)."""
    return np.asarray(sums[..., 0] / math.log(2) / sums[..., 1])


def words_for_answers(found: Difference | None, first: str, second: str) -> str:
    """Return in a sentence or two which of two gives more right answers, and how sure that is."""
    if found is None:
        return ""
    more = round(abs(found.value))
    asked = f"{found.pairs:,} questions"
    if not more:
        return (
            f"{first} and {second} have equally many right of {asked}: these questions do not tell"
            " which is better."
        )
    better, worse = (second, first) if found.value > 0 else (first, second)
    low, high = sorted((found.low, found.high) if found.value > 0 else (-found.high, -found.low))
    span = f"between {_signed(low)} and {_signed(high)} with other questions like these"
    verdict = _verdict(found, better, worse)
    return f"{verdict}: {more:,} more right of {asked}, {span}. {_chance(found)}"


def words_for_losses(found: Difference | None, first: str, second: str) -> str:
    """Return in a sentence or two which of two knows the validation text better."""
    if found is None:
        return ""
    better, worse = (second, first) if found.value < 0 else (first, second)
    low, high = sorted(map(abs, (found.low, found.high)))
    crosses = found.low < 0 < found.high
    span = f"up to {high:.3f}, to either side," if crosses else f"{low:.3f} to {high:.3f}"
    return (
        f"{_verdict(found, better, worse)} at writing like the validation text:"
        f" {abs(found.value):.3f} bits per byte less on {found.pairs:,} texts, {span} with other"
        f" texts like these. {_chance(found)}"
    )


def _verdict(found: Difference, better: str, worse: str) -> str:
    if found.chance <= SURE:
        return f"{better} is better than {worse}"
    if found.chance <= LIKELY:
        return f"{better} is probably better than {worse}"
    if found.chance <= PERHAPS:
        return f"{better} may be better than {worse}"
    return f"{better} is ahead of {worse}, but no clear difference is seen"


def _chance(found: Difference) -> str:
    if found.chance > PERHAPS:
        return (
            f"Chance alone brings so large a difference in {found.chance_words} cases; more of"
            " them would tell."
        )
    return f"The difference could be chance in {found.chance_words} cases."


def _signed(number: float) -> str:
    if abs(number) < 0.5:
        return "0"
    return f"{number:.0f} more" if number > 0 else f"{-number:.0f} fewer"
