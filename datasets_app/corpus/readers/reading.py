"""The one way to every reader: a file in, items out that tile its bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator
from collections.abc import Mapping as Names
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.detection import encoding as encodings
from datasets_app.corpus.detection.kinds import Identified
from datasets_app.corpus.formats.format import Document, Reader
from datasets_app.corpus.formats.registry import FORMATS, reader_of
from datasets_app.corpus.limited.run import Call, run_limited
from datasets_app.corpus.parsing.view import TranscodedFile, Utf8File, open_view
from datasets_app.corpus.readers import speakers
from datasets_app.corpus.readers.job import LONGEST, Job
from datasets_app.corpus.readers.rendition import Rendition
from datasets_app.corpus.source import (
    Gap,
    Item,
    Mapping,
    PartTally,
    Problem,
    Waiting,
    WaitingError,
)


def read(
    path: Path,
    identified: Identified,
    *,
    mapping: Mapping | None = None,
    name: str = "",
    people: Names[str, str] | None = None,
    **cuts: Any,
) -> Generator[Item]:
    """Yield records, problems and gaps in order; their ranges tile `[0, size)` of the file.

    `people` are the names of those whom the file knows by a number; `cuts` say where passages end
    (`is_apart` and `longest` of a Job).

    Raises WaitingError before the first item when a person must choose the encoding (it is chosen
    where the file is identified), what the columns are or who speaks (call again with `mapping`),
    and CorpusError when the kind has no reader. Text is clean (no NUL, no lone surrogates) and its
    line ends are LF.
    """
    reader = reader_of(identified.kind)
    if identified.format.document:
        raise ValueError(f"A file of the kind {identified.kind} holds no plain text.")
    found = _encoding(path, identified, is_raw=reader.is_raw)
    if isinstance(found, Waiting):
        raise WaitingError(found)
    head = open_view(path, found)
    opening = head.read(encodings.SAMPLE_BYTES)
    head.close()
    stream = open_view(path, found)
    try:
        job = Job(stream, opening, mapping, name, people=people or {}, **cuts)
        size = path.stat().st_size
        yield from _tiled(_read(reader, job), stream, size)
        if found.remark:
            yield Problem(size, size, found.line, 1, "guessed_encoding", found.remark)
    finally:
        stream.close()


def _encoding(path: Path, found: Identified, *, is_raw: bool) -> encodings.Encoding | Waiting:
    if is_raw:
        return encodings.Encoding("utf-8", ())  # which gives the bytes as they stand
    return found.encoding or encodings.detect(path)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a document: a section of it, 0 for all, and what a person has chosen.

    `is_apart` keeps what stands below different headings in records of their own.
    """

    section: int = 0
    mapping: Mapping | None = None
    name: str = ""
    should_stop: Callable[[], bool] = bool
    is_apart: bool = False
    longest: int = LONGEST
    limits: ArchiveLimits | None = None  # those of a document, unless it is to be quick


def read_document(
    path: Path, kind: str, asked: Asked, tally: PartTally | None = None
) -> Generator[Item]:
    """Yield the records, problems and gaps of a document; their ranges tile the text in it.

    The file is opened by a process with limits of its own. `tally` counts its parts. Raises
    WaitingError like `read`, and ChildError for a file that cannot be read to its end.
    """
    reader, document = reader_of(kind), _document(kind)
    with closing(_told(path, document, asked)) as told:
        rendition = Rendition(told, tally or PartTally())
        yield from rendition.items(_read(reader, _job(rendition, asked)))


def _read(reader: Reader, job: Job) -> Iterator[Item]:
    """Yield the reader's items once it is known who speaks in them."""
    items = reader.read(job)
    return items if job.roles else speakers.asking(items)


def _document(kind: str) -> Document:
    found = FORMATS[kind].document
    if found is None:
        raise ValueError(f"A file of the kind {kind} is no document.")
    return found


def _told(path: Path, document: Document, asked: Asked) -> Generator[Any]:
    given = (asked.section, asked.is_apart) if document.keeps_apart else (asked.section,)
    call = Call(document.extract, given, asked.limits or ArchiveLimits.of_document())
    return run_limited(path, call, asked.should_stop)


def _job(rendition: Rendition, asked: Asked) -> Job:
    opening = rendition.peek(encodings.SAMPLE_BYTES)
    return Job(rendition, opening, asked.mapping, asked.name, longest=asked.longest)


@contextmanager
def section(path: Path, kind: str, asked: Asked) -> Iterator[Job]:
    """Yield a section of a document as its reader gets it."""
    with closing(_told(path, _document(kind), asked)) as told:
        yield _job(Rendition(told, PartTally()), asked)


def columns_of_section(path: Path, kind: str, asked: Asked) -> Waiting | None:
    """Return what a person who chooses the columns of a document anew is shown."""
    ask = reader_of(kind).ask
    with section(path, kind, asked) as job:
        return ask(job) if ask else None


def columns_of(
    path: Path, kind: str, *, mapping: Mapping | None = None, encoding: str | None = None
) -> Waiting | None:
    """Return what a person who chooses a table's columns anew is shown: columns and first rows.

    None when the table has no header, or its bytes no certain encoding.
    """
    ask = reader_of(kind).ask
    found = encodings.chosen(encoding, path) if encoding else encodings.detect(path)
    if isinstance(found, Waiting) or ask is None:
        return None
    head = open_view(path, found)
    stream = open_view(path, found)
    try:
        return ask(Job(stream, head.read(encodings.SAMPLE_BYTES), mapping))
    finally:
        head.close()
        stream.close()


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
    bad = stream.bad
    if bad.lines:
        shown, more = ", ".join(map(str, bad.shown)), bad.lines - len(bad.shown)
        tail = f" and {more} more" if more else ""
        message = f"Lines {shown}{tail} were written in another encoding than the rest."
        yield Problem(size, size, bad.shown[0], 1, "other_encoding", message)
    if bad.characters:
        message = f"{bad.characters} places hold bytes that fit no character."
        yield Problem(size, size, 1, 1, "bad_bytes", message)
