"""Measures knowledge on its own questions, and lets them choose how much words count.

A question is right when its answer, word for word, is found among the other rows: so only answers
that several rows give can be asked for.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datasets_app.corpus.split import SPLITS
from datasets_app.knowledge.find import MOST, WEIGHT, WEIGHT_ELSEWHERE, Knowledge, usual_weight
from datasets_app.knowledge.scripts import script_of

MOST_ASKED = 300
FEWEST_ASKED = 20  # fewer say nothing about a script
WEIGHTS = (0.0, 0.2, WEIGHT, 0.8, WEIGHT_ELSEWHERE, 5.0)


@dataclass(slots=True)
class _Tally:
    """Right answers of one script's questions."""

    asked: int = 0
    by_words: int = 0
    differing: int = 0  # questions that only one of words and vectors answers right
    by_weight: dict[float, int] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0))
    first_by_weight: dict[float, int] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0))


def measured(knowledge: Knowledge, still: Callable[[], None]) -> dict[str, Any]:
    """Return `weights` and `figures` of each script, as the manifest keeps them."""
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    for place in _askable(knowledge):
        still()
        _ask(knowledge, place, tallies)
    weights, figures = {}, {}
    for script, tally in sorted(tallies.items()):
        if tally.asked < FEWEST_ASKED:
            continue
        weight = usual_weight(script)
        if knowledge.dims:
            weight = weights[script] = _best_weight(tally, weight)
        figures[script] = {
            "asked": tally.asked,
            "words": tally.by_words,
            **(_beside_vectors(tally, weight) if knowledge.dims else {}),
        }
    return {"weights": weights, "figures": figures}


def _askable(knowledge: Knowledge) -> list[int]:
    """Return places of questions whose answer stands in several pieces: kept back ones first."""
    _, inverse, counts = np.unique(knowledge.answers, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] > 1)
    splits = knowledge.splits[shared]
    for chosen in (shared[splits == SPLITS.index("validation")], shared):
        if len(chosen) >= FEWEST_ASKED:
            spread = np.linspace(0, len(chosen) - 1, min(MOST_ASKED, len(chosen)))
            return [int(place) for place in chosen[spread.astype(np.intp)]]
    return []


def _ask(knowledge: Knowledge, place: int, tallies: defaultdict[str, _Tally]) -> None:
    piece = knowledge.piece(place)
    own = knowledge.places_of_rows([piece.row])
    key = knowledge.answers[place]
    elsewhere = np.flatnonzero(knowledge.answers == key)
    if not piece.question or piece.is_part or not np.setdiff1d(elsewhere, own).size:
        return
    vector = knowledge.vector(place, in_talk=bool(piece.context)) if knowledge.dims else None
    scored = knowledge.scored(piece.question, piece.context, vector, own)
    tally = tallies[script_of(piece.question)]
    tally.asked += 1
    words_alone = knowledge.ranked(scored.without_vectors, 0.0, MOST)
    by_words = key in knowledge.answers[words_alone]
    tally.by_words += by_words
    for weight in WEIGHTS if scored.cosines is not None else ():
        found = knowledge.answers[knowledge.ranked(scored, weight, MOST)]
        tally.by_weight[weight] += key in found
        tally.first_by_weight[weight] += key in found[:1]
        tally.differing += not weight and by_words != (key in found)


def _beside_vectors(tally: _Tally, weight: float) -> dict[str, Any]:
    vectors = tally.by_weight[0.0]
    is_served = not _is_clearly_more(tally.by_words, vectors, tally.asked, tally.differing)
    return {"vectors": vectors, "both": tally.by_weight[weight], "is_served": is_served}


def _best_weight(tally: _Tally, usual: float) -> float:
    """Return the weight that finds most; the usual one unless another is clearly better."""
    found = {one: (tally.by_weight[one] + tally.first_by_weight[one]) / 2 for one in WEIGHTS}
    best = max(WEIGHTS, key=lambda one: found[one])
    asked = tally.asked
    return best if _is_clearly_more(found[best], found[usual], asked, asked) else usual


def _is_clearly_more(right: float, other: float, asked: int, differing: int) -> bool:
    """Return whether a difference is no accident of the questions, and large enough to matter.

    Only the `differing` questions, which one of both answers right, can be accidents.
    """
    return right - other > max(asked / 10, 2.5 * math.sqrt(differing))
