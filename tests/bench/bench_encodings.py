"""How often the encoding of a text is told right, is asked for, or is silently wrong.

A row for each encoding is printed to the terminal's error stream. "Unseen" are the languages and
sentences that nobody looked at while the detector was made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

from datasets_app.corpus.detection.encoding import detect
from datasets_app.corpus.source import Waiting
from tests.datasets_app.corpus.detection.labelled import UNICODE, Labelled, labelled

STEP = 1
SMALLEST = {"STEP": 80}
RIGHT, ASKED, SILENT, NOT_OFFERED = "right", "asked", "silently wrong", "asked without the truth"


def run() -> dict[str, float]:
    """Return the shares in percent, the number of texts, and texts per second."""
    started = time.perf_counter()
    rows = outcomes(STEP)
    seconds = time.perf_counter() - started
    for encoding, counts in sorted(rows.items()):
        told = "  ".join(f"{name} {counts[name]:4}" for name in (RIGHT, ASKED, SILENT))
        print(f"{encoding[0]:12} {'unseen' if encoding[1] else '':9} {told}", file=sys.stderr)  # noqa: T201
    figures: dict[str, float] = {"encodings": len({name for name, _ in rows})}
    for part, is_unseen in (("", False), ("unseen_", True)):
        older = sum_of(rows, is_unseen=is_unseen)
        texts = older.total() or 1
        figures |= {
            f"{part}older_texts": older.total(),
            f"{part}silently_wrong_percent": 100 * older[SILENT] / texts,
            f"{part}asked_percent": 100 * (older[ASKED] + older[NOT_OFFERED]) / texts,
        }
    return figures | {"texts_per_second": sum(map(Counter.total, rows.values())) / seconds}


def outcomes(step: int) -> dict[tuple[str, bool], Counter[str]]:
    """Return what came of every so manieth text, for each encoding and part of the set."""
    found: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        for text in islice(labelled(), 0, None, step):
            path.write_bytes(text.data)
            found[text.encoding, text.is_unseen][outcome(path, text)] += 1
    return found


def outcome(path: Path, truth: Labelled) -> str:
    """Return what came of one text: a name that gives the same characters is right."""
    found = detect(path)
    if isinstance(found, Waiting):
        names = [guess.encoding for guess in found.guesses]
        is_offered = any(truth.data.decode(name, "replace") == truth.text for name in names)
        return ASKED if is_offered else NOT_OFFERED
    told = truth.data[found.skip :].decode(found.name, "replace")
    return RIGHT if told == truth.text else SILENT


def sum_of(rows: dict[tuple[str, bool], Counter[str]], *, is_unseen: bool) -> Counter[str]:
    """Return the counts of one part of the set, without Unicode, which is the easy half."""
    parts = (
        counts
        for (encoding, is_one_unseen), counts in rows.items()
        if is_one_unseen == is_unseen and encoding not in UNICODE
    )
    return sum(parts, Counter())
