"""Bytes to characters: which encoding a file has, and text that every store accepts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import charset_normalizer

from datasets_app.corpus.source import Guess, Waiting

BLOCK = 1 << 16
SAMPLE_BYTES = 1 << 20
FEWEST_BYTES = 64
"""Below this a statistical detector guesses wildly, so a person is asked."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LEGACY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("koi8_r", "mac_roman", "mac_cyrillic", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
COMMON = ("cp1252", "cp1251", "cp932", "gb18030", "cp1250", "cp949", "big5")
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
    UTF-8) are decoded by `fallback`.
    """

    name: str
    why: tuple[str, ...]
    skip: int = 0
    fallback: str | None = None

    @property
    def is_plain_utf8(self) -> bool:
        return self.name == "utf-8" and self.fallback is None


def detect(path: Path) -> Encoding | Waiting:
    """Return how to decode the file, or what a person must choose; never a blind guess."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    for mark, name in BOMS:
        if head.startswith(mark):
            return _marked(path, name, len(mark))
    wide = _wide_by_nuls(head)
    if wide:
        return Encoding(wide, (f"zero bytes stand where {wide} has them",))
    lines = _count_lines(path)
    if lines.bad == 0:
        return Encoding("utf-8", ("every byte is valid UTF-8",))
    return _legacy(lines)


def _marked(path: Path, name: str, skip: int) -> Encoding:
    """Believe a byte order mark, but not that every byte after it is valid UTF-8."""
    why = f"it begins with the byte order mark of {name}"
    lines = _count_lines(path) if name == "utf-8" else _Lines()
    if not lines.bad:
        return Encoding(name, (why,), skip)
    fallback = next(iter(_best_guesses(lines.sample)), "cp1252")
    return Encoding(name, (why, f"{lines.bad} lines look like {fallback}"), skip, fallback)


def chosen(name: str, path: Path) -> Encoding:
    """Return the encoding that a person chose; bytes that do not fit become U+FFFD."""
    with path.open("rb") as stream:
        head = stream.read(4)
    canonical = codecs.lookup(name).name
    skip = next((len(mark) for mark, known in BOMS if head.startswith(mark) and known == name), 0)
    fallback = "ascii" if canonical == "utf-8" else None
    return Encoding(canonical, ("a person chose it",), skip, fallback)


def _wide_by_nuls(head: bytes) -> str | None:
    """Name UTF-16 or UTF-32 by the places of its zero bytes."""
    sample = head[:4096]
    quarter = len(sample) // 4
    if quarter == 0 or b"\0" not in sample:
        return None
    zeros = [sample[place::4][:quarter].count(0) / quarter for place in range(4)]
    pattern: tuple[bool, ...] = tuple(share > 0.4 for share in zeros)
    by_pattern: dict[tuple[bool, ...], str] = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    name = by_pattern.get(pattern)
    if name is None or not _decodes(sample[: quarter * 4], name):
        return None
    return name


@dataclass(slots=True)
class _Lines:
    """Lines of a file that are, or are not, valid UTF-8; ASCII lines count for neither."""

    good: int = 0
    bad: int = 0
    sample: bytes = b""


def _count_lines(path: Path) -> _Lines:
    counts = _Lines()
    with path.open("rb") as stream:
        for block in blocks_of_lines(stream):
            if block.isascii() or _decodes(block, "utf-8"):
                counts.good += not block.isascii()
                continue
            for line in block.split(b"\n"):
                _count_line(line, counts)
    return counts


def _count_line(line: bytes, counts: _Lines) -> None:
    if line.isascii():
        return
    if _decodes(line, "utf-8"):
        counts.good += 1
        return
    counts.bad += 1
    if len(counts.sample) < SAMPLE_BYTES:
        counts.sample += line[:BLOCK] + b"\n"


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


def _legacy(lines: _Lines) -> Encoding | Waiting:
    """Choose an older encoding by its statistics, or ask."""
    mostly_utf8 = lines.good > lines.bad
    best = _best_guesses(lines.sample)
    if mostly_utf8:
        fallback = best[0] if best else "cp1252"
        why = f"UTF-8, except {lines.bad} lines that look like {fallback}"
        return Encoding("utf-8", (why,), fallback=fallback)
    if len(lines.sample) < FEWEST_BYTES or not best:
        return _ask(lines.sample, best)
    return Encoding(best[0], (f"not UTF-8; {best[0]} gives the most readable text",), fallback=None)


def _best_guesses(sample: bytes) -> list[str]:
    """Return the encodings that give readable text, the likeliest first."""
    if len(sample) < FEWEST_BYTES:
        return []
    found = charset_normalizer.from_bytes(sample[:SAMPLE_BYTES], cp_isolation=list(LEGACY))
    return [match.encoding for match in found][:3]


def _ask(sample: bytes, best: list[str]) -> Waiting:
    names = [name for name in (*best, *COMMON) if _decodes(sample, name, is_whole=False)]
    guesses = [Guess(name, _readable_lines(sample, name)) for name in dict.fromkeys(names)]
    return Waiting(
        code="needs_encoding",
        why="The characters of this file can be read in several ways: please choose one.",
        guesses=tuple(guesses[:3]),
    )


def _readable_lines(sample: bytes, name: str) -> tuple[str, ...]:
    lines = sample[:4096].decode(name, "replace").split("\n")
    return tuple(clean_text(line[:200]).text for line in lines[:5] if line.strip())


def _decodes(data: bytes, name: str, *, is_whole: bool = True) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, is_whole)
    except UnicodeDecodeError:
        return False
    return True
