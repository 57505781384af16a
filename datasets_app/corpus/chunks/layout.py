"""Chunks as the earlier pipeline keeps them: `<stem>_chunks.json`, written and read.

What is written holds the exact place of each chunk besides. Of what is read without places the
text is put together again: where one chunk begins like the one before it ends, both overlap.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.chunks.cutting import Cut
from datasets_app.corpus.chunks.settings import (
    CHARACTERS,
    EARLIER_NAMES,
    OVERLAP,
    RECURSIVE,
    SIZE,
    STRATEGIES,
    ChunkError,
    Settings,
)
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.readers.job import with_lf

ENDING = "_chunks.json"
BETWEEN = "\n\n"
LONGEST_OVERLAP = 20_000
MOST_BYTES = 64 << 20  # of all files in an archive


@dataclass(frozen=True, slots=True)
class Read:
    """What a file of chunks held: its document, how it was cut, its text and its chunks.

    `is_rebuilt` says that the file did not say where its chunks stand.
    """

    name: str
    settings: Settings
    text: str
    cuts: list[Cut]
    is_rebuilt: bool


@dataclass(frozen=True, slots=True)
class Written:
    """One chunk on its way into a file."""

    chunk_id: str
    content: str
    start: int
    end: int
    headings: tuple[str, ...] = ()
    place: str = ""


def write(
    name: str, settings: Settings, chunks: Iterable[Written], *, processed_at: str
) -> dict[str, Any]:
    """Return what the file of one document holds."""
    told = [
        {
            "chunk_id": chunk.chunk_id,
            "content": chunk.content,
            "metadata": {
                "source": name,
                "chunk_index": number,
                "start": chunk.start,
                "end": chunk.end,
                "place": chunk.place,
                **{f"Header {level}": title for level, title in enumerate(chunk.headings, 1)},
            },
        }
        for number, chunk in enumerate(chunks)
    ]
    names = {ours: theirs for theirs, ours in EARLIER_NAMES.items()}
    return {
        "metadata": {
            "source_file": name,
            "chunk_count": len(told),
            "chunk_size": settings.size,
            "chunk_overlap": settings.overlap,
            "processed_at": processed_at,
            "splitting_strategy": names.get(settings.strategy, settings.strategy),
            "unit": settings.unit,
        },
        "chunks": told,
        "status": "completed",
    }


def unpacked(data: bytes, name: str) -> list[tuple[str, bytes]]:
    """Return the files of chunks in an archive, by name; any other file is returned as it is.

    Raises ChunkError for an archive that is damaged, holds none, or more than may be read at once.
    """
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return [(name, data)]
    found, left = list[tuple[str, bytes]](), MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(ENDING):
                    continue
                with archive.open(member) as file:
                    told = file.read(left + 1)
                left -= len(told)
                if left < 0:
                    raise ChunkError(f"{name} holds more than {MOST_BYTES >> 20} MiB of chunks.")
                found.append((member.filename, told))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise ChunkError(f"{name} cannot be opened: {error}.") from error
    if not found:
        raise ChunkError(f"No file in {name} ends with {ENDING}.")
    return found


def read(data: bytes, name: str) -> Read:
    """Return what the bytes of such a file hold; `name` is that of the file.

    Raises ChunkError, with what is wrong, for anything else.
    """
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChunkError(f"{name} is no JSON: {error}.") from error
    chunks = told.get("chunks") if isinstance(told, dict) else None
    if not isinstance(chunks, list) or not chunks:
        raise ChunkError(f"{name} holds no list of “chunks”, as a file {ENDING} does.")
    meta = _object(told.get("metadata"))
    contents: list[tuple[str, dict[str, Any]]] = []
    for number, chunk in enumerate(chunks, 1):
        content = chunk.get("content") if isinstance(chunk, dict) else None
        text = with_lf(clean_text(content).text) if isinstance(content, str) else ""
        if not text.strip():
            raise ChunkError(f"{name}: chunk {number:,} has no “content”.")
        contents.append((text, _object(chunk.get("metadata"))))
    stated = _stated(contents)
    text, cuts = stated or _put_together([content for content, _ in contents], meta)
    headings = [_headings(about) for _, about in contents]
    with_titles = [Cut(one.start, one.end, up) for one, up in zip(cuts, headings, strict=True)]
    source = meta.get("source_file")
    document = source if isinstance(source, str) and source else name.removesuffix(ENDING)
    document = clean_text(document.replace("\\", "/").rpartition("/")[2]).text[:1024]
    return Read(document, _settings(meta), text, with_titles, stated is None)


def _object(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _settings(meta: dict[str, Any]) -> Settings:
    """Return how it was cut as far as the file says so; else the usual way."""
    strategy = meta.get("splitting_strategy")
    strategy = EARLIER_NAMES.get(str(strategy), str(strategy))
    size, overlap = meta.get("chunk_size"), meta.get("chunk_overlap")
    try:
        return Settings(
            strategy if strategy in STRATEGIES else RECURSIVE,
            size if isinstance(size, int) else SIZE,
            CHARACTERS,
            overlap if isinstance(overlap, int) else OVERLAP,
        )
    except ChunkError:
        return Settings()


def _headings(about: dict[str, Any]) -> tuple[str, ...]:
    found = (about.get(f"Header {level}") for level in range(1, 7))
    return tuple(clean_text(title).text for title in found if isinstance(title, str) and title)


def _stated(contents: list[tuple[str, dict[str, Any]]]) -> tuple[str, list[Cut]] | None:
    """Return the text and the places that the file states, where they agree with each other."""
    text, cuts = "", list[Cut]()
    for content, about in contents:
        start, end = about.get("start"), about.get("end")
        if not isinstance(start, int) or not isinstance(end, int) or end - start != len(content):
            return None
        if (
            start < 0
            or start - len(text) > LONGEST_OVERLAP
            or text[start:end] != content[: max(0, len(text) - start)]
        ):
            return None
        text += "\n" * max(0, start - len(text))
        text += content[len(text) - start :]
        cuts.append(Cut(start, end))
    ends = [cut.end for cut in cuts]
    return (text, cuts) if ends == sorted(ends) else None


def _put_together(contents: list[str], meta: dict[str, Any]) -> tuple[str, list[Cut]]:
    """Return the text that the chunks are pieces of, and where each stands in it."""
    most = meta.get("chunk_overlap")
    most = min(most, LONGEST_OVERLAP) if isinstance(most, int) and most >= 0 else LONGEST_OVERLAP
    text, cuts = contents[0], [Cut(0, len(contents[0]))]
    for content in contents[1:]:
        shared = _shared(text[-most:] if most else "", content)
        if not shared:
            text += BETWEEN
        start = len(text) - shared
        text += content[shared:]
        cuts.append(Cut(start, start + len(content)))
    return text, cuts


def _shared(before: str, after: str) -> int:
    """Return how many signs at the end of a text begin the next one, in linear time."""
    after = after[: len(before)]
    fails, at = [0] * len(after), 0
    for number in range(1, len(after)):
        while at and after[number] != after[at]:
            at = fails[at - 1]
        at += after[number] == after[at]
        fails[number] = at
    at = 0
    for sign in before:
        while at and (at == len(after) or sign != after[at]):
            at = fails[at - 1]
        at += sign == after[at]
    return at
