"""How well the offline judge tells right pairs from wrong ones, and how fast.

    python -m tests.bench.bench_judge

The pairs are made from public texts where they lie next to the project, else from the bundled
sample (`tests/bench/judge_pairs.py`). What is printed is the half of the documents to which nothing
was fitted; the other half as well, to show how much that flatters. AUC is the chance that a right
pair gets more than a wrong one, equal scores counting half.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets_app.corpus.judging.material import Material
from datasets_app.corpus.judging.offline import judge
from datasets_app.corpus.judging.scores import Cuts
from tests.bench.judge_pairs import KINDS, PLAUSIBLE, RIGHT, Labelled, pairs_of

PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST = 240  # right pairs of a source
HAS_PUBLIC = True
SMALLEST = {"MOST": 40, "HAS_PUBLIC": False}


def run() -> dict[str, float]:
    """Return AUC over all and by kind and source, for the unseen and the fitted half."""
    data = PUBLIC if HAS_PUBLIC and PUBLIC.is_dir() else None
    pairs = pairs_of(data, MOST)
    began = time.perf_counter()
    scores = [score_of(one) for one in pairs]
    seconds = time.perf_counter() - began
    figures: dict[str, float] = {}
    for held_back, half in ((True, "unseen"), (False, "fitted")):
        told = [(a, s) for a, s in zip(pairs, scores, strict=True) if a.is_held_back == held_back]
        figures |= {f"{half}.{name}": figure for name, figure in _figures(told).items()}
    return {**figures, "pairs_per_second": len(pairs) / seconds}


def score_of(pair: Labelled) -> float:
    found = judge(Material(pair.question, pair.answer, pair.chunk)).scores
    return float(found.overall) if found else 0.0


def _figures(told: Sequence[tuple[Labelled, float]]) -> dict[str, float]:
    by_kind: dict[str, list[float]] = defaultdict(list)
    by_source: dict[str, list[list[float]]] = defaultdict(lambda: [[], []])
    for pair, score in told:
        by_kind[pair.kind].append(score)
        if pair.kind in (RIGHT, *KINDS):
            by_source[pair.source][pair.kind == RIGHT].append(score)
    right = by_kind.pop(RIGHT)
    wrong = [score for kind in KINDS for score in by_kind[kind]]
    passing = float(Cuts().passing)
    return {
        "pairs": float(len(right) + len(wrong)),
        "auc": auc(right, wrong),
        **{f"auc_{kind.replace(' ', '_')}": auc(right, by_kind[kind]) for kind in KINDS},
        **({"auc_plausible": auc(right, by_kind[PLAUSIBLE])} if by_kind[PLAUSIBLE] else {}),
        **{f"auc_{name}": auc(good, bad) for name, (bad, good) in by_source.items()},
        "right_pass_percent": 100 * float(np.mean(np.array(right) >= passing)),
        "wrong_pass_percent": 100 * float(np.mean(np.array(wrong) >= passing)),
    }


def auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return the chance that one of the right has more than one of the wrong."""
    one, other = np.array(right)[:, None], np.array(wrong)[None, :]
    if not one.size or not other.size:
        return float("nan")
    return float(((one > other) + 0.5 * (one == other)).mean())


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))  # noqa: T201
