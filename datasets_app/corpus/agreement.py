"""How far two people who judged the same rows agree, beyond what chance alone would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FEWEST_TOLD = 30  # rows below which the figure is rough
# How people usually name a kappa: Landis, J. R. and Koch, G. G. (1977). The measurement of observer
# agreement for categorical data. Biometrics 33(1), 159-174. Theirs are names, not limits.
NAMES = (
    (0.80, "almost perfect"),
    (0.60, "substantial"),
    (0.40, "moderate"),
    (0.20, "fair"),
    (0.00, "slight"),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often each pair of a first and a second opinion came."""

    pairs: Counter[tuple[str, str]]

    @classmethod
    def of(cls, opinions: Iterable[tuple[str, str]]) -> Agreement:
        return cls(Counter(opinions))

    @property
    def total(self) -> int:
        return self.pairs.total()

    @property
    def agreed(self) -> int:
        return sum(count for (first, second), count in self.pairs.items() if first == second)

    @property
    def share(self) -> float | None:
        """Return the share of rows judged alike; None where none was judged twice."""
        return self.agreed / self.total if self.total else None

    @property
    def kappa(self) -> float | None:
        """Return Cohen's kappa; None where it is not defined.

        (p_o - p_e) / (1 - p_e): p_o is the share judged alike, p_e the share that two people would
        judge alike who say each word as often as these do, but at random. Where both said one and
        the same word of every row, p_e is 1 and nothing is left to tell chance from agreement.

        Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and
        Psychological Measurement 20(1), 37-46.
        """
        if self.share is None:
            return None
        firsts: Counter[str] = Counter()
        seconds: Counter[str] = Counter()
        for (first, second), count in self.pairs.items():
            firsts[first] += count
            seconds[second] += count
        by_chance = sum(firsts[word] * seconds[word] for word in firsts)  # of total squared
        of_all = self.total * self.total
        if by_chance == of_all:
            return None
        return (self.share - by_chance / of_all) / (1 - by_chance / of_all)

    @property
    def words(self) -> str:
        """Return how people usually name the kappa; "" where there is none."""
        kappa = self.kappa
        if kappa is None:
            return ""
        return next((name for above, name in NAMES if kappa > above), "no better than chance")
