"""What a file format is: its names, how it is told by content, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.chunks.headings import Heading
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.parsing.view import ByteStream
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item, Waiting


@dataclass(frozen=True, slots=True)
class Reader:
    """A named, numbered way to read decoded text; raise `version` when its records would change.

    What `ask` returns is shown to a person who chooses columns; None where there are none. Of a
    table every file has some. A raw one gets the bytes as they stand: each part of them has an
    encoding of its own.
    """

    name: str
    version: int
    read: Callable[[Job], Iterator[Item]]
    ask: Callable[[Job], Waiting | None] | None = None
    is_table: bool = False
    is_raw: bool = False

    @property
    def label(self) -> str:
        """Return what tells its items from those of any other reader or version."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Document:
    """How text comes out of a document: by a function that a process with limits of its own runs.

    It is given the file, where to tell parts (`Out.part`), and the number of the section that is
    wanted, 0 for all. Its parts are counted as so many of `unit`, a word in the singular. One that
    `keeps_apart` is also told whether what stands below each heading shall be a part of its own.
    """

    extract: Callable[..., None]
    unit: str
    keeps_apart: bool = False


@dataclass(frozen=True, slots=True)
class Prose:
    """How a file of prose is read as one text, to be cut into chunks.

    `headings` finds them in the text. Of a document, `extract` tells the text instead of the
    function that tells it to a reader, in the same way. Of a text, `parts` yields what is said in
    it, each with a place for people; without it the text stands for itself.
    """

    headings: Callable[[str], list[Heading]]
    extract: Callable[..., None] | None = None
    parts: Callable[[ByteStream], Iterator[tuple[str, str]]] | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """How an archive is opened: by a function that a process with limits of its own runs.

    `packing` is what lies around a tar, or around a single file: gz, bz2 or xz. `sections` is
    the kind of those members that are no files of their own, as the sheets of a workbook.
    """

    unpack: Callable[[BinaryIO, Out, str, str], None]
    packing: str = ""
    sections: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One file format, whole. Whatever OTTO says or does about it is read here.

    `kind` is stored with files and never changes; `name` is for people, with its article.
    Exactly one of `reader`, `archive` and `refusal` is given: a refusal is the sentence that
    names the next step. With a `document`, the reader gets the text that comes out of it.
    One with `prose` can be cut into chunks.
    `endings` are what people know it by; `fits` are endings of other formats under which it is
    no surprise.

    It is told by its content, in this order: `of_bytes`, `magic` (leading bytes), `in_zip` (the
    names of a zip's members) or `mimetype` (the first member of a zip), `in_ole` (one of the
    streams of an older Office file), `libmagic` (what that library calls it), `of_text` (why a
    text is of this format, or None).
    """

    kind: str
    name: str
    endings: tuple[str, ...] = ()
    fits: tuple[str, ...] = ()

    reader: Reader | None = None
    document: Document | None = None
    prose: Prose | None = None
    archive: Archive | None = None
    refusal: str = ""

    of_bytes: Callable[[bytes], bool] | None = None
    magic: tuple[bytes, ...] = ()
    in_zip: Callable[[set[bytes]], bool] | None = None
    mimetype: bytes = b""
    in_ole: tuple[str, ...] = ()
    libmagic: tuple[str, ...] = ()
    of_text: Callable[[TextHead], str | None] | None = None

    def __post_init__(self) -> None:
        if sum(map(bool, (self.reader, self.archive, self.refusal))) != 1:
            raise ValueError(f"{self.kind} is either read, opened or refused.")
        if self.document and not self.reader:
            raise ValueError(f"Nothing reads the text of {self.kind}.")

    @property
    def holds_files(self) -> bool:
        """Say whether other files lie inside: an archive, and no document in sections."""
        return self.archive is not None and not self.archive.sections
