"""Three sub-scores, the overall score that is computed of them, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from datasets_app.corpus.conversation import CorpusError

PASS, NEEDS_REVIEW, FAIL = "PASS", "NEEDS_REVIEW", "FAIL"  # as files write them
VERDICTS = (PASS, NEEDS_REVIEW, FAIL)
PARTS = ("accuracy", "completeness", "consistency")
WEIGHTS = {
    "accuracy": Decimal("0.5"),
    "completeness": Decimal("0.3"),
    "consistency": Decimal("0.2"),
}
TOP = 10
CENTS = Decimal("0.01")
HIGH, MEDIUM, LOW = "high", "medium", "low"
PRIORITIES = (HIGH, MEDIUM, LOW)
SUSPICIOUS_PASSES = 0.95  # above this share a judge separates nothing
BANDS = ((9.0, "excellent"), (7.0, "good"), (5.0, "fair"), (3.0, "poor"), (0.0, "fail"))


@dataclass(frozen=True, slots=True)
class Scores:
    """What a judge says of a pair: each from 0 to 10. Raises CorpusError outside of that."""

    accuracy: float
    completeness: float
    consistency: float

    def __post_init__(self) -> None:
        for name in PARTS:
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= TOP):
                raise CorpusError(f"The {name} is {value}; a score lies between 0 and {TOP}.")

    @property
    def overall(self) -> Decimal:
        """Return 0.5 accuracy + 0.3 completeness + 0.2 consistency, rounded to two places.

        Of decimal numbers, so that 8.995 is the same on every machine.
        """
        told = (Decimal(str(getattr(self, name))) * WEIGHTS[name] for name in PARTS)
        return sum(told, Decimal()).quantize(CENTS, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Cuts:
    """From `passing` on a pair passes; below `failing` it fails; between them a person looks."""

    passing: Decimal = Decimal("8.00")
    failing: Decimal = Decimal("7.00")

    def __post_init__(self) -> None:
        if not (0 <= self.failing <= self.passing <= TOP):
            raise CorpusError(
                "Both cuts lie between 0 and 10, and the one for passing may not lie below the one "
                "for failing."
            )

    @classmethod
    def of(cls, passing: float | str, failing: float | str) -> Cuts:
        return cls(Decimal(str(passing)), Decimal(str(failing)))

    def verdict(self, overall: Decimal) -> str:
        """Return what the score means; nothing else is ever asked."""
        if overall >= self.passing:
            return PASS
        return FAIL if overall < self.failing else NEEDS_REVIEW


def priority(overall: Decimal, verdict: str, issues: Sequence[str]) -> str:
    """Return how soon somebody should look; "" where there is nothing to look at."""
    if verdict == FAIL or overall < 5:
        return HIGH
    if verdict == NEEDS_REVIEW or overall < 7:
        return MEDIUM
    return LOW if issues else ""


def band(overall: Decimal | float) -> str:
    """Return the word for a score."""
    return next(word for least, word in BANDS if overall >= least)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Scores of [start, start + 1); the last one is closed, so 10 counts in 9-10."""

    start: int
    count: int
    share: float  # of all scored pairs, in percent with one decimal

    @property
    def name(self) -> str:
        return f"{self.start}-{self.start + 1}"

    @property
    def line(self) -> str:
        """Return it as the earlier reports write it: `Overall: 8-9: 1250 (21.5%)`."""
        return f"Overall: {self.name}: {self.count} ({self.share:.1f}%)"


def bucket_of(overall: Decimal | float) -> int:
    return min(int(overall), TOP - 1)


def buckets(counts: Sequence[int]) -> list[Bucket]:
    """Return the ten buckets of ten counts; of an empty set all are zero."""
    total = sum(counts)
    return [Bucket(n, count, percent(count, total)) for n, count in enumerate(counts)]


def distribution(overalls: Iterable[Decimal | float]) -> list[Bucket]:
    counts = [0] * TOP
    for overall in overalls:
        counts[bucket_of(overall)] += 1
    return buckets(counts)


def percent(count: int, total: int) -> float:
    """Return a share in percent with one decimal; 0 of nothing."""
    if not total:
        return 0.0
    return float((Decimal(100 * count) / total).quantize(Decimal("0.1"), ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Summary:
    """How a set of pairs came out; an empty one has zeros and no averages."""

    counts: dict[str, int]  # by verdict
    unscored: int = 0

    @property
    def scored(self) -> int:
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        return self.scored + self.unscored

    @property
    def shares(self) -> list[tuple[str, int, float]]:
        """Return each verdict with its count, and its percentage of what was scored."""
        told = ((name, self.counts.get(name, 0)) for name in VERDICTS)
        return [(name, count, percent(count, self.scored)) for name, count in told]

    @property
    def is_suspicious(self) -> bool:
        """Whether nearly everything passes, which says more of the judge than of the pairs."""
        passed = self.counts.get(PASS, 0)
        return self.scored >= 20 and passed > SUSPICIOUS_PASSES * self.scored
