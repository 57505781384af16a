"""How long it takes to find what is nearly the same among many rows, and how much memory.

    python -m tests.bench.bench_repeats

Every row is generated from its number, so the generated rows themselves take no memory: one in
twenty repeats the row before with a word changed. The database is left out.
"""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.repeats import compare
from datasets_app.corpus.repeats.index import Index, places_of
from datasets_app.corpus.repeats.said import said

SIZES = (100_000, 1_000_000)
STEP = 2_000
REPEATS_EVERY = 20
SMALLEST = {"SIZES": (2_000,)}
LETTERS = random.Random(3)  # noqa: S311 - invented words
WORDS = ["".join(LETTERS.choices("abcdefghiklmnoprstuvwz", k=3 + n % 7)) for n in range(5_000)]


def row(number: int) -> Conversation:
    """Return a row of ten words and thirty; the same number always says the same."""
    repeats = number % REPEATS_EVERY == 1
    draw = random.Random(number - 1 if repeats else number)  # noqa: S311 - invented rows
    question, answer = draw.choices(WORDS, k=10), draw.choices(WORDS, k=30)
    if repeats:
        answer[number % 30] = "otherwise"
    return Conversation(
        (Turn("user", " ".join(question) + "?"), Turn("assistant", " ".join(answer) + "."))
    )


def run() -> dict[str, float]:
    """Return seconds and MB for each number of rows, and the share of repeats that were found."""
    found: dict[str, float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            found |= _figures(Path(folder), size)
    return found


def _figures(folder: Path, size: int) -> dict[str, float]:
    index = Index.open(folder)
    reading = 0.0
    for start in range(0, size, STEP):
        numbers = range(start, min(start + STEP, size))
        rows = [row(number) for number in numbers]
        begun = time.perf_counter()
        index = index.with_rows([(number, 1) for number in numbers], [said(one) for one in rows])
        reading += time.perf_counter() - begun
    begun = time.perf_counter()
    numbers = np.arange(size)
    places = places_of(index.lines(), numbers, np.ones_like(numbers))
    rows = compare.Comparison(index, places, lambda wanted: {pk: row(pk) for pk in wanted})
    clusters = compare.near_clusters(rows)
    comparing = time.perf_counter() - begun
    planted = len(range(1, size, REPEATS_EVERY))
    told = sum(
        any(pk % REPEATS_EVERY == 1 and (pk - 1, 1.0) in one.members for pk, _ in one.members)
        for one in clusters
    )
    name = f"{size:_}"
    return {
        f"{name}_reading_seconds": reading,
        f"{name}_comparing_seconds": comparing,
        f"{name}_rows_per_second": size / (reading + comparing),
        f"{name}_found_percent": 100 * told / planted,
        f"{name}_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201
