"""How far a judge agrees with a person who did not see its scores, and which cut serves best.

Weighted kappa: Cohen, J. (1968). Weighted kappa: nominal scale agreement with provision for
scaled disagreement or partial credit. Psychological Bulletin 70(4), 213-220; weights are squared
distances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from datasets_app.corpus.judging.scores import TOP

WANTED = 50  # rows that a person labels
FEWEST = 20  # below that nothing is said
LEAST_KAPPA = 0.4  # below that a judge may exclude nothing by itself
GOOD_FROM = 7.0  # what a person calls good enough to learn from


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of comparing a judge's scores with a person's labels, both from 0 to 10."""

    labelled: int
    kappa: float | None
    leniency: float  # how much higher the judge is on average
    best_cut: float
    lost: int  # rows on the wrong side of that cut
    table: dict[str, int]  # "person judge" of three bands each

    @property
    def is_enough(self) -> bool:
        return self.labelled >= FEWEST

    @property
    def may_exclude(self) -> bool:
        return self.is_enough and self.kappa is not None and self.kappa >= LEAST_KAPPA

    def as_json(self) -> dict[str, Any]:
        return {
            "labelled": self.labelled,
            "kappa": self.kappa,
            "leniency": self.leniency,
            "best_cut": self.best_cut,
            "lost": self.lost,
            "table": self.table,
        }


def calibrated(pairs: Sequence[tuple[float, float]]) -> Calibration:
    """Return what pairs of a person's label and the judge's score say."""
    told = [(label, score) for label, score in pairs]
    leniency = sum(score - label for label, score in told) / len(told) if told else 0.0
    cut, lost = best_cut(told)
    table = Counter(f"{_third(label)} {_third(score)}" for label, score in told)
    return Calibration(
        len(told), weighted_kappa(told), round(leniency, 2), cut, lost, dict(sorted(table.items()))
    )


def _third(score: float) -> str:
    return "bad" if score < 5 else "middling" if score < GOOD_FROM else "good"


def weighted_kappa(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Return kappa with quadratic weights of scores rounded to whole numbers; None of no spread."""
    told = [(round(one), round(other)) for one, other in pairs]
    if not told:
        return None
    firsts, seconds = Counter(one for one, _ in told), Counter(other for _, other in told)
    seen = sum((one - other) ** 2 for one, other in told)
    by_chance = sum(
        count * other_count * (one - other) ** 2
        for one, count in firsts.items()
        for other, other_count in seconds.items()
    ) / len(told)
    return round(1 - seen / by_chance, 3) if by_chance else None


def best_cut(
    pairs: Sequence[tuple[float, float]], good_from: float = GOOD_FROM
) -> tuple[float, int]:
    """Return the cut from which a score should pass so that fewest rows are on its wrong side.

    Good is what the person gave `good_from` or more. Of equal cuts the one nearest to that is
    taken.
    """
    cuts = sorted({0.0, *(score for _, score in pairs), float(TOP)})
    told = [(_wrong(pairs, cut, good_from), abs(cut - good_from), cut) for cut in cuts]
    lost, _, cut = min(told)
    return round(cut, 2), lost


def _wrong(pairs: Iterable[tuple[float, float]], cut: float, good_from: float) -> int:
    return sum((label >= good_from) != (score >= cut) for label, score in pairs)


def drawn(scores: Mapping[int, float], *, most: int = WANTED, seed: int = 1) -> list[int]:
    """Return rows spread over the range of scores: in turn one of each bucket, by chance.

    The order is shuffled too, so that it says nothing of the score.
    """
    dice = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    heaps: dict[int, list[int]] = {}
    for row, score in sorted(scores.items()):
        heaps.setdefault(min(int(score), TOP - 1), []).append(row)
    for heap in heaps.values():
        dice.shuffle(heap)
    found: list[int] = []
    while len(found) < most and any(heaps.values()):
        for place in sorted(heaps):
            if heaps[place] and len(found) < most:
                found.append(heaps[place].pop())
    dice.shuffle(found)
    return found
