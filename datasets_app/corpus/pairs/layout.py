"""Pairs as the earlier pipeline keeps them: `<stem>_qa.json`, written and read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text

ENDING = "_qa.json"
STATUS = {"succeeded": "completed", "partial": "partial", "failed": "partial"}


class LayoutError(CorpusError):
    """A file that holds no pairs."""


@dataclass(frozen=True, slots=True)
class Written:
    """One pair on its way into a file; places are in the document's text."""

    question: str
    answer: str
    chunk_id: str
    chunk_index: int
    chunk_start: int
    chunk_end: int
    source_text: str
    answer_start: int | None = None
    answer_end: int | None = None


@dataclass(slots=True)
class ReadChunk:
    """A chunk that a file names, with its pairs; its place as the file says it, if it does."""

    index: int
    text: str
    start: int | None = None
    end: int | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Read:
    """What a file of pairs held: its document, who made them, and the chunks in order."""

    name: str
    by: str
    chunks: list[ReadChunk]


def write(
    name: str, about: dict[str, Any], pairs: Iterable[Written], chunks: dict[str, list[str]]
) -> dict[str, Any]:
    """Return what the file of one document holds; `chunks` are the names that are done or failed.

    `about` is what the metadata says of provider, model, numbers and times.
    """
    kind = name.rpartition(".")[2].lower() if "." in name else ""
    base = name.replace("\\", "/").rpartition("/")[2]
    told = [
        {
            "question": one.question,
            "answer": one.answer,
            "source_file": name,
            "file_name": base,
            "file_type": kind,
            "chunk_id": one.chunk_id,
            "chunk_index": one.chunk_index,
            "chunk_start": one.chunk_start,
            "chunk_end": one.chunk_end,
            "source_text": one.source_text,
            "answer_start": one.answer_start,
            "answer_end": one.answer_end,
        }
        for one in pairs
    ]
    return {
        "metadata": {**about, "qa_count": len(told)},
        "training_pairs": told,
        "completed_chunks": chunks.get("done", []),
        "failed_chunks": chunks.get("failed", []),
    }


def read(data: bytes, name: str) -> Read:
    """Return what the bytes of such a file hold; `name` is that of the file. Raises LayoutError."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LayoutError(f"{name} is no JSON: {error}.") from error
    pairs = told.get("training_pairs") if isinstance(told, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise LayoutError(f"{name} holds no list of “training_pairs”, as a file {ENDING} does.")
    meta = told.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    chunks: dict[str, ReadChunk] = {}
    source = ""
    for number, one in enumerate(pairs, 1):
        pair = one if isinstance(one, dict) else {}
        question, answer, text = (_text(pair, key) for key in ("question", "answer", "source_text"))
        if not question or not answer or not text:
            words = "“question”, “answer” and “source_text”"
            raise LayoutError(f"{name}: pair {number:,} needs {words}.")
        source = source or _text(pair, "source_file") or _text(pair, "file_name")
        chunk = chunks.setdefault(text, _chunk(pair, len(chunks), text))
        if (question, answer) not in chunk.pairs:
            chunk.pairs.append((question, answer))
    by = ":".join(str(meta[key]) for key in ("llm_provider", "llm_model") if meta.get(key))
    ordered = sorted(chunks.values(), key=lambda one: one.index)
    return Read(source or name.removesuffix(ENDING), clean_text(by).text[:200], ordered)


def _chunk(pair: dict[str, Any], number: int, text: str) -> ReadChunk:
    index, start, end = (pair.get(key) for key in ("chunk_index", "chunk_start", "chunk_end"))
    return ReadChunk(
        index if isinstance(index, int) else number,
        text,
        start if isinstance(start, int) else None,
        end if isinstance(end, int) else None,
    )


def _text(pair: dict[str, Any], key: str) -> str:
    told = pair.get(key)
    return clean_text(told).text.strip() if isinstance(told, str) else ""


def as_chunks(found: Read) -> bytes:
    """Return the chunks of such a file as a file of chunks, whose places are then checked."""
    told = {
        "metadata": {"source_file": found.name},
        "chunks": [
            {"content": one.text, "metadata": {"start": one.start, "end": one.end}}
            for one in found.chunks
        ],
    }
    return json.dumps(told).encode()
