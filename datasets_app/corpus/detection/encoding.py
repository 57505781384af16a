"""Bytes to characters: which encoding a file has, and text that every store accepts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from datasets_app.corpus.detection.guessing import Guesses, canonical, guess
from datasets_app.corpus.detection.unmarked import WIDE, decodes, wide_or_escaped
from datasets_app.corpus.source import Guess, Waiting

BLOCK = 1 << 16
SAMPLE_BYTES = 1 << 20
GUESSED_BYTES = 1 << 16
"""So many bytes of lines are enough to tell an encoding, beside those that hold new bytes."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ASK = "The characters of this file can be read in several ways: please choose one."
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Text that PostgreSQL takes, and what had to be changed for it."""

    text: str
    nuls: int = 0
    surrogates: int = 0


def is_clean(text: str) -> bool:
    """Say quickly whether `clean_text` would leave a text as it is."""
    return "\0" not in text and (text.isascii() or not SURROGATE.search(text))


def clean_text(text: str) -> Cleaned:
    """Remove NUL and replace lone surrogates; change nothing else."""
    nuls = text.count("\0")
    if nuls:
        text = text.replace("\0", "")
    if text.isascii() or not SURROGATE.search(text):
        return Cleaned(text, nuls)
    text, surrogates = SURROGATE.subn("\ufffd", text)
    return Cleaned(text, nuls, surrogates)


def clean_name(name: str, limit: int = 1024) -> str:
    """Return a file name as text to look at: clean, and at most `limit` bytes of UTF-8."""
    text = clean_text(name).text
    return text.encode()[:limit].decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file.

    `skip` bytes of byte order mark come first. Lines that are not valid in `name` (which is then
    UTF-8) are decoded by `fallback`. Of an encoding that was told from the letters, `remark` says
    so to people, and `line` is the first that told it.
    """

    name: str
    why: tuple[str, ...]
    skip: int = 0
    fallback: str | None = None
    remark: str = ""
    line: int = 1

    @property
    def is_plain_utf8(self) -> bool:
        return self.name == "utf-8" and self.fallback is None


def has_wide_signs(head: bytes) -> bool:
    """Say whether zero and other control bytes are parts of signs here."""
    marks = tuple(mark for mark, name in BOMS if name in WIDE)
    return head.startswith(marks) or wide_or_escaped(head) in WIDE


def detect(path: Path) -> Encoding | Waiting:
    """Return how to decode the file, or what a person must choose; never a blind guess."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    for mark, name in BOMS:
        if head.startswith(mark):
            return _marked(path, name, len(mark))
    unmarked = wide_or_escaped(head)
    if unmarked:
        return Encoding(unmarked, (f"its bytes stand as those of {unmarked} do",))
    lines = _count_lines(path)
    if lines.bad == 0:
        return Encoding("utf-8", ("every byte is valid UTF-8",))
    return _legacy(lines, head)


def _marked(path: Path, name: str, skip: int) -> Encoding:
    """Believe a byte order mark, but not that every byte after it is valid UTF-8."""
    why = f"it begins with the byte order mark of {name}"
    lines = _count_lines(path) if name == "utf-8" else _Lines()
    if not lines.bad:
        return Encoding(name, (why,), skip)
    fallback = guess(bytes(lines.sample)).best.name
    return Encoding(name, (why, f"{lines.bad} lines look like {fallback}"), skip, fallback)


def chosen(name: str, path: Path) -> Encoding:
    """Return the encoding that a person chose; bytes that do not fit become U+FFFD."""
    with path.open("rb") as stream:
        head = stream.read(4)
    found = canonical(name)
    skip = next((len(mark) for mark, known in BOMS if head.startswith(mark) and known == found), 0)
    fallback = "ascii" if found == "utf-8" else None
    return Encoding(found, ("a person chose it",), skip, fallback)


def to_choose(path: Path, also: Iterable[str] = ()) -> tuple[Guess, ...]:
    """Return what a person who has a file read in another encoding is shown of each."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    lines = _Lines()
    for line in head.split(b"\n"):
        if not line.isascii():
            lines.keep(line)
    sample = bytes(lines.sample)
    if not sample or has_wide_signs(head):
        sample = head[:GUESSED_BYTES]
    return guess(sample, head).to_choose(sample, also)


@dataclass(slots=True)
class _Lines:
    """Lines of a file that are, or are not, valid UTF-8; ASCII lines count for neither."""

    good: int = 0
    bad: int = 0
    first_bad: int = 0
    sample: bytearray = field(default_factory=bytearray)
    seen: set[int] = field(default_factory=set)

    def keep(self, line: bytes) -> None:
        """Keep a line to tell the encoding from, when it adds to what is known."""
        if len(self.sample) < GUESSED_BYTES:
            line = line[:BLOCK]
        elif (new := set(line) - self.seen) and max(new) > 127:
            at = next(place for place, byte in enumerate(line) if byte in new and byte > 127)
            line = _around(line, at)
        else:
            return
        self.seen |= set(line)
        self.sample += line + b"\n"


def _around(line: bytes, at: int) -> bytes:
    """Return the words around a place in a line."""
    start = line.rfind(b" ", 0, max(0, at - 200)) + 1
    end = line.find(b" ", at + 200)
    return line[start : end if end > 0 else None][:4096]


def _count_lines(path: Path) -> _Lines:
    counts = _Lines()
    number = 1
    with path.open("rb") as stream:
        for block in blocks_of_lines(stream):
            if block.isascii() or decodes(block, "utf-8"):
                counts.good += not block.isascii()
                number += block.count(b"\n") if not counts.bad else 0
                continue
            for line in block.split(b"\n"):
                _count_line(line, number, counts)
                number += 1
            number -= 1
    return counts


def _count_line(line: bytes, number: int, counts: _Lines) -> None:
    if line.isascii():
        return
    if decodes(line, "utf-8"):
        counts.good += 1
        return
    counts.bad += 1
    counts.first_bad = counts.first_bad or number
    counts.keep(line)


def blocks_of_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the stream in blocks that end at a line end, or in the middle of a huge line."""
    rest = b""
    while block := stream.read(BLOCK):
        block = rest + block
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(block) >= 16 * BLOCK:
            cut = _end_of_character(block)
        rest = block[cut:]
        if cut:
            yield block[:cut]
    if rest:
        yield rest


def _end_of_character(block: bytes) -> int:
    """Return a cut that does not divide a UTF-8 character."""
    cut = len(block) - 1
    while cut > len(block) - 4 and 0x80 <= block[cut] < 0xC0:
        cut -= 1
    return cut if block[cut] >= 0xC0 else len(block)


def _legacy(lines: _Lines, head: bytes) -> Encoding | Waiting:
    """Choose an older encoding by its letters, or ask."""
    sample = bytes(lines.sample)
    found = guess(sample, head)
    name = found.best.name
    if lines.good > lines.bad:
        return Encoding(
            "utf-8", (f"UTF-8, except {lines.bad} lines that look like {name}",), fallback=name
        )
    if not found.is_certain:
        return Waiting(code="needs_encoding", why=ASK, guesses=found.to_choose(sample))
    return Encoding(name, _why(found), remark=_remark(found), line=lines.first_bad)


def _why(found: Guesses) -> tuple[str, ...]:
    best, second = found.ranked[0], found.ranked[1:2]
    language = best.language or "what people write"
    others = f", and {second[0].name} the next best" if second else ""
    return (f"not UTF-8; in {best.name} its letters are those of {language}{others}",)


def _remark(found: Guesses) -> str:
    words = " · ".join(found.deciding(found.best.name))
    return f"Read as {found.best.name}, told from its letters. Are these words right? {words}"
