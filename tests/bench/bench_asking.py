"""How many questions of people the built-in generator finds again in the same paragraphs.

    python -m tests.bench.bench_asking

The reference are the answerable questions of squad2-dev (CC BY-SA 4.0), where it lies next to the
project: people read a paragraph and asked about it. A question is found again where one that was
made of its paragraph is near in meaning (cosine of all-MiniLM-L6-v2), or where the span that
answers one holds the answer to the other. As many sentences of the paragraph, drawn by chance, are
asked in their own words beside: what that finds again, the topic alone does. Without the set or
the encoder the questions of a paragraph of our own are found by their answers only.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets_app.corpus.chunks.settings import SIZE
from datasets_app.corpus.pairs.extractive import extract, of_chunk, read_page
from datasets_app.corpus.pairs.page import sentences
from tests.bench.bench_answers import _encoder

PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "data" / "squad2-dev"
PARAGRAPHS, MOST = 200, 5  # evenly spread, and questions of each
NEAR = 0.7
HAS_PUBLIC = True
SMALLEST = {"HAS_PUBLIC": False}

Asked = tuple[str, str]  # a question with its answer

OWN: tuple[str, Sequence[Asked]] = (
    "The bridge was built in 1932. It is a symbol of the town. It spans 504 metres.",
    [("When was the bridge built?", "1932"), ("How long is it?", "504 metres")],
)


def run() -> dict[str, float]:
    """Return the share of reference questions found again, by the generator and by chance."""
    has_it = HAS_PUBLIC and PUBLIC.is_dir()
    told = list(_public()) if has_it else [OWN]
    with tempfile.TemporaryDirectory() as folder:
        encoder = _encoder(Path(folder)) if has_it else None
        ways = {"made": _made, "by_chance": _by_chance}
        made = {name: [way(text) for text, _ in told] for name, way in ways.items()}
        made["by_chance"] = [
            chance[: len(ours)]
            for chance, ours in zip(made["by_chance"], made["made"], strict=True)
        ]
        figures = {
            "paragraphs": float(len(told)),
            "reference": float(sum(len(asked) for _, asked in told)),
            "questions": float(sum(map(len, made["made"]))),
        }
        for name, found in made.items():
            figures |= {
                f"{name}.{title}": figure
                for title, figure in _again([asked for _, asked in told], found, encoder).items()
            }
        return figures


def _public() -> Iterator[tuple[str, Sequence[Asked]]]:
    [path] = PUBLIC.glob("*.json")
    paragraphs = [
        one for page in json.loads(path.read_text("utf-8"))["data"] for one in page["paragraphs"]
    ]
    told = [
        (
            one["context"],
            [(qa["question"], qa["answers"][0]["text"]) for qa in one["qas"] if qa["answers"]],
        )
        for one in paragraphs
    ]
    kept = [one for one in told if one[1]]
    places = np.linspace(0, len(kept) - 1, min(PARAGRAPHS, len(kept))).astype(int)
    return (kept[place] for place in places)


def _made(text: str) -> list[Asked]:
    found = of_chunk(extract(read_page(text, "")), 0, max(len(text), SIZE), most=MOST)
    return [(one.question, one.answer) for one in found]


def _by_chance(text: str) -> list[Asked]:
    told = [(one.text, one.text) for one in sentences(text, 0, len(text))]
    random.Random(len(text)).shuffle(told)  # noqa: S311 - the same every time
    return told


def _again(
    reference: Sequence[Sequence[Asked]], made: Sequence[Sequence[Asked]], encoder: Any
) -> dict[str, float]:
    """Return which share of reference questions is found again, by meaning and by the answer."""
    by_answer, nearest = list[bool](), list[float]()
    for asked, found in zip(reference, made, strict=True):
        by_answer += [any(answer in span for _, span in found) for _, answer in asked]
        if encoder is not None:
            theirs = encoder.encode([question for question, _ in asked])
            ours = encoder.encode([question for question, _ in found]) if found else None
            nearest += (
                [0.0] * len(asked) if ours is None else (theirs @ ours.T).max(axis=1).tolist()
            )
    figures = {"answered_percent": 100 * float(np.mean(by_answer))}
    if nearest:
        figures["near_percent"] = 100 * float(np.mean(np.array(nearest) >= NEAR))
        figures["mean_cosine"] = float(np.mean(nearest))
    return figures


if __name__ == "__main__":
    print(json.dumps(run(), indent=1), file=sys.stdout)  # noqa: T201
