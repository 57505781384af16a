"""The one way to every reader: a file in, items out that tile its bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets_app.corpus.detection import encoding as encodings
from datasets_app.corpus.detection.kinds import Identified
from datasets_app.corpus.formats import table
from datasets_app.corpus.formats.registry import reader_of
from datasets_app.corpus.parsing.view import TranscodedFile, Utf8File, open_view
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Gap, Item, Mapping, Problem, Waiting, WaitingError


def read(
    path: Path,
    identified: Identified,
    *,
    mapping: Mapping | None = None,
    encoding: str | None = None,
    name: str = "",
) -> Iterator[Item]:
    """Yield records, problems and gaps in order; their ranges tile `[0, size)` of the file.

    Raises WaitingError before the first item when a person must choose the encoding (call again
    with `encoding`) or what the columns are (call again with `mapping`), and CorpusError when the
    kind has no reader. Text is clean (no NUL, no lone surrogates) and its line ends are LF.
    """
    reader = reader_of(identified.kind)
    found = encodings.chosen(encoding, path) if encoding else encodings.detect(path)
    if isinstance(found, Waiting):
        raise WaitingError(found)
    head = open_view(path, found)
    opening = head.read(encodings.SAMPLE_BYTES)
    head.close()
    stream = open_view(path, found)
    try:
        job = Job(stream, opening, mapping, name)
        yield from _tiled(reader.read(job), stream, path.stat().st_size)
    finally:
        stream.close()


def columns_of(
    path: Path, *, mapping: Mapping | None = None, encoding: str | None = None
) -> Waiting | None:
    """Return what a person who chooses a table's columns anew is shown: columns and first rows.

    None when the table has no header, or its bytes no certain encoding.
    """
    found = encodings.chosen(encoding, path) if encoding else encodings.detect(path)
    if isinstance(found, Waiting):
        return None
    head = open_view(path, found)
    stream = open_view(path, found)
    try:
        return table.ask(Job(stream, head.read(encodings.SAMPLE_BYTES), mapping))
    finally:
        head.close()
        stream.close()


def encoding_of(path: Path) -> encodings.Encoding | Waiting:
    """Return how the file will be decoded, to store and to show."""
    return encodings.detect(path)


def _tiled(items: Iterator[Item], stream: Utf8File | TranscodedFile, size: int) -> Iterator[Item]:
    """Turn places of the stream into places of the file and fill what lies between with gaps."""
    at = 0
    for found in items:
        item = _placed(found, stream)
        if item.start > at:
            yield Gap(at, item.start)
        if item.end > item.start or isinstance(item, Problem):
            yield item
        at = item.end
    if at < size:
        yield Gap(at, size)
    yield from _remarks(stream, size)


def _placed(item: Item, stream: Utf8File | TranscodedFile) -> Item:
    if stream.is_direct:
        return item
    start, end = stream.place(item.start), stream.place(item.end)
    return dataclasses.replace(item, start=start, end=end)


def _remarks(stream: Utf8File | TranscodedFile, size: int) -> Iterator[Problem]:
    """Say which lines were in another encoding, and how many bytes fit no character."""
    if stream.bad_lines:
        shown = ", ".join(map(str, stream.bad_lines[:20]))
        more = len(stream.bad_lines) - 20
        tail = f" and {more} more" if more > 0 else ""
        message = f"Lines {shown}{tail} were written in another encoding than the rest."
        yield Problem(size, size, stream.bad_lines[0], 1, "other_encoding", message)
    if stream.bad_characters:
        message = f"{stream.bad_characters} places hold bytes that fit no character."
        yield Problem(size, size, 1, 1, "bad_bytes", message)
