"""Files of pairs put together: where each pair came from, and what several of them say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, CorpusError, Turn
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.judging.report import ScoredPair, read_report
from datasets_app.corpus.split import exact_key

ENDINGS = (".json", ".jsonl")


@dataclass(slots=True)
class Source:
    """What one file gave."""

    name: str
    pairs: int = 0
    repeated: int = 0  # said by a file, or a line, before it
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Combined:
    """The pairs of several files, each once, and what each file gave."""

    pairs: list[ScoredPair]
    sources: list[Source]

    @property
    def repeated(self) -> int:
        return sum(one.repeated for one in self.sources)


def combined(folder: Path) -> Combined:
    """Return the pairs of all files of a folder, by name; the first that says something gives it.

    A file that cannot be read is named with its reason. Raises CorpusError where none has pairs.
    """
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder}.")
    pairs: list[ScoredPair] = []
    seen: set[str] = set()
    sources = []
    for path in sorted(one for one in folder.iterdir() if one.suffix.lower() in ENDINGS):
        source = Source(path.name)
        sources.append(source)
        for pair in _of_file(path, source):
            source.pairs += 1
            key = key_of(pair)
            if key in seen:
                source.repeated += 1
                continue
            seen.add(key)
            own = clean_text(path.name).text
            named = pair.source_file or own
            meta = {**pair.meta, "combined_from": own}
            pairs.append(replace(pair, index=len(pairs), source_file=named, meta=meta))
    if not pairs:
        raise CorpusError(f"No file in {folder} holds pairs of a question and an answer.")
    return Combined(pairs, sources)


def key_of(pair: ScoredPair) -> str:
    """Return the key of what a pair says: equal for copies."""
    return exact_key(Conversation((Turn(USER, pair.question), Turn(ASSISTANT, pair.answer))))


def _of_file(path: Path, source: Source) -> Iterator[ScoredPair]:
    try:
        read = read_report(list(_lines(path)) if path.suffix.lower() == ".jsonl" else _value(path))
    except (OSError, ValueError, RecursionError, CorpusError) as error:
        source.problems.append(str(error))
        return
    source.problems += read.problems
    yield from read.pairs


def _value(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _lines(path: Path) -> Iterable[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
