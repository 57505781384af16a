"""How well questions about documents are answered, from a folder to a deployment that quotes it.

    python -m tests.bench.bench_documents

Each set is a folder of public documents next to the project, and questions about it that were
written by hand (`tests/bench/documents/*.jsonl`): a question, the facts that an answer must have,
each with its spellings, what it must not say, and the page. Those without a page have no answer
there. `manage.py pipeline --documents DIR --quote` goes the whole way in a folder of its own; then
each question is looked up and quoted by the code that the engine uses. An answer is right with all
its facts, from the page that the question names; one from another page is counted apart, and any
other answer is wrong. Without the sets a small folder of our own stands for them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from datasets_app.corpus.conversation import PASSAGE, USER, Conversation, Turn
from datasets_app.corpus.readers.passages import front_matter
from datasets_app.knowledge.known import KnowledgeKey, KnownAnswers
from datasets_app.knowledge.pieces import SOURCE_JOINT, Row
from datasets_app.knowledge.store import Writer
from training_app.lm.made_up import quote_for

PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "data"
QUESTIONS = Path(__file__).parent / "documents"
FOLDERS = {"handbook": "18f-handbook/pages", "peps": "peps-rst", "laravel": "laravel-docs"}
SETS = tuple(os.environ.get("DOCUMENTS", "handbook peps laravel").split())
HAS_PUBLIC = True
HEAD = 4_000  # signs in which a page says its title
TOP = (1, 3, 10)  # among how many passages the right one is looked for

SMALLEST = {"HAS_PUBLIC": False}


@dataclass(frozen=True)
class Asked:
    """A question with the facts of its answer; without a page nothing answers it."""

    question: str
    facts: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...]
    page: str
    folder: Path

    @cached_property
    def title(self) -> str:
        """Return the title of its page."""
        [path] = (self.folder / self.page).parent.glob(f"{Path(self.page).name}.*")
        matter, _ = front_matter(path.read_text("utf-8")[:HEAD])
        return matter.get("title", "").strip("\"' ") or path.stem

    def is_in(self, text: str) -> bool:
        """Return whether a text has all facts, and nothing that an answer must not say."""
        plain = " ".join(text.split()).casefold()
        has_all = all(any(one.casefold() in plain for one in said) for said in self.facts)
        return has_all and not any(one.casefold() in plain for one in self.wrong)

    def is_from(self, source: str) -> bool:
        """Return whether a source names its page."""
        return source.split(SOURCE_JOINT, maxsplit=1)[0] == self.title


def run() -> dict[str, float]:
    """Return right, wrong and abstained answers of each set, and how far the right passage is."""
    if not (HAS_PUBLIC and PUBLIC.is_dir()):
        return _own()
    figures: dict[str, float] = {}
    for name in SETS:
        with tempfile.TemporaryDirectory() as text:
            folder, documents = Path(text), PUBLIC / FOLDERS[name]
            began = time.perf_counter()
            told = _pipeline(folder, documents)
            figures[f"{name}.seconds"] = time.perf_counter() - began
            figures[f"{name}.rows"] = told["conversations"]
            [manifest] = (folder / "data" / "knowledge").glob("*/*/knowledge.json")
            encoder = next((folder / "data").glob("*/*/encoder.json"), None)
            key = KnowledgeKey(manifest.parent, "", encoder.parent if encoder else None)
            asked = list(questions(name, documents))
            figures |= {f"{name}.{title}": one for title, one in answered(key, asked).items()}
    return figures


def questions(name: str, folder: Path) -> Iterator[Asked]:
    """Yield the questions of a set whose documents lie in a folder."""
    for line in (QUESTIONS / f"{name}.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        facts = tuple(tuple(said) for said in told["facts"])
        yield Asked(told["question"], facts, tuple(told["wrong"]), told["page"], folder)


def answered(key: KnowledgeKey, asked: list[Asked]) -> dict[str, float]:
    """Return how the questions are answered by quoting, in counts."""
    known_answers, counts = KnownAnswers(), Counter[str]()
    for one in asked:
        turns = [Turn(USER, one.question)]
        known = known_answers.find(key, turns, most=max(TOP))
        quote = quote_for(turns, known)
        how = _outcome(
            one, quote.text if quote else "", known.found[0].piece.source if quote else ""
        )
        counts[how] += 1
        counts["asked" if one.page else "elsewhere"] += 1
        if one.page:
            places = [is_it(one, found.piece) for found in known.found]
            counts.update(f"passage_in_{top}" for top in TOP if any(places[:top]))
        if VERBOSE:
            said = f"{known.found[0].piece.source}: {quote.text[:150]!r}" if quote else ""
            print(f"{how:12} {one.question} {said}", file=sys.stderr)  # noqa: T201
    names = (
        "asked",
        "right",
        "other_page",
        "wrong",
        "abstained",
        "elsewhere",
        "elsewhere_answered",
    )
    return {name: float(counts[name]) for name in (*names, *(f"passage_in_{top}" for top in TOP))}


VERBOSE = bool(os.environ.get("VERBOSE"))


def is_it(one: Asked, piece: Any) -> bool:
    return one.is_from(piece.source) and one.is_in(piece.answer)


def _outcome(one: Asked, said: str, source: str) -> str:
    if not one.page:
        return "elsewhere_answered" if said else "elsewhere_abstained"
    if not said:
        return "abstained"
    if not one.is_in(said):
        return "wrong"
    return "right" if one.is_from(source) else "other_page"


def _pipeline(folder: Path, documents: Path) -> dict[str, Any]:
    """Go the whole way in a folder of its own; return the JSON that the command ends with."""
    others = {"DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in others}
    words = ("pipeline", "--documents", str(documents), "--quote", "--json")
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        env=kept | {"OTTO_VAR_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


OWN = {
    "Opening hours": "The shop in Elmbridge opens at 8 and closes at 18 on weekdays.",
    "Parcels": "A parcel of more than 20 kg is sent by lorry. It takes five days.",
    "Refunds": "Refunds are paid within 14 days of the return.",
}


def _own() -> dict[str, float]:
    """Return the counts of a few pages of our own, found by words."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for title, said in OWN.items():
            (folder / f"{title}.md").write_text(f"# {title}\n\n{said}\n", "utf-8")
        writer = Writer(folder / "known", encoder=None)
        talks = [
            Conversation((Turn(PASSAGE, f"# {title}\n\n{said}"),)) for title, said in OWN.items()
        ]
        rows = zip(OWN, talks, strict=True)
        writer.add(
            [
                Row(number, number, talk.row_hash(), "train", talk, page=title)
                for number, (title, talk) in enumerate(rows, start=1)
            ]
        )
        writer.finish()
        asked = [
            Asked("When does the shop open?", (("8",),), (), "Opening hours", folder),
            Asked(
                "How heavy is a parcel that a lorry takes?", (("20 kg",),), (), "Parcels", folder
            ),
            Asked("Who sings?", (), (), "", folder),
        ]
        return answered(KnowledgeKey(folder / "known"), asked)


if __name__ == "__main__":
    for title, figure in run().items():
        print(f"{title:40} {figure:8.2f}")  # noqa: T201
