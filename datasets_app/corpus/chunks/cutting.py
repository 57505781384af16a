"""Cuts a text into chunks; each one is `text[start:end]` to the letter."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from datasets_app.corpus.chunks.headings import Heading, paths
from datasets_app.corpus.chunks.settings import (
    CHARACTER,
    HEADINGS,
    MARKDOWN,
    TOKENS,
    ChunkError,
    Settings,
)

WINDOW = 1 << 16  # characters that the library sees at once: its time grows with their square
MARKDOWN_WINDOW = 1 << 18  # it has to see where code and lists begin
CHARACTERS_A_TOKEN = 8  # more than texts have; chosen by hand
DEEPEST_HEADING = 4
JOINING = frozenset("\u200c\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk: a place in a text, and the headings above what is new in it, the widest first."""

    start: int
    end: int
    headings: tuple[str, ...] = ()


class Splitter(Protocol):
    """What the library's splitters have in common."""

    def chunk_indices(self, text: str) -> list[tuple[int, str]]:
        """Return the pieces of a text with their positions in characters."""
        ...


def cut(
    text: str,
    settings: Settings,
    headings: Iterable[Heading] = (),
    *,
    tokenizer: Path | None = None,
    touch: Callable[[], None] = lambda: None,
) -> list[Cut]:
    """Return the chunks of a text in its order; every sign but white space is in one of them.

    `tokenizer` is the file whose tokens count where the settings say so. `touch` is called now
    and then, and may raise.

    Raises ChunkError where that file is missing.
    """
    known = sorted(headings)
    spans = _character_spans if settings.strategy == CHARACTER else _split_spans
    found: list[tuple[int, int]] = []
    for start, end in _sections(text, known, settings, touch):
        for span in spans(text, start, end, settings, tokenizer):
            touch()
            if not found or span[1] > found[-1][1]:
                found.append(span)
    return list(_with_headings(text, found, known))


def _sections(
    text: str, headings: list[Heading], settings: Settings, touch: Callable[[], None]
) -> Iterator[tuple[int, int]]:
    """Yield what is cut by itself: all, or what stands below each heading, with the heading.

    A heading with nothing below it but what underlines it goes with the next one.
    """
    if settings.strategy != HEADINGS:
        yield 0, len(text)
        return
    titles = {one.start: one.title for one in headings if one.level <= DEEPEST_HEADING}
    start = looked_at = 0
    is_blank, is_said = True, False  # of text[start:looked_at], which is not looked at again
    for edge in sorted(titles):
        touch()
        piece = text[looked_at:edge]
        is_blank = is_blank and not piece.strip()
        if start == looked_at and titles.get(start, "\n") in piece.partition("\n")[0]:
            piece = piece.lstrip().partition("\n")[2]  # its own heading says nothing
        is_said = is_said or any(map(str.isalnum, piece))
        looked_at = edge
        if is_said:
            yield start, edge
        if is_said or is_blank:
            start, is_blank, is_said = edge, True, False
    yield start, len(text)


def _split_spans(
    text: str, start: int, end: int, settings: Settings, tokenizer: Path | None
) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a window, but for the last, which begins the next window."""
    splitter = _splitter(settings, tokenizer)
    size = MARKDOWN_WINDOW if settings.strategy == MARKDOWN else WINDOW
    a_unit = CHARACTERS_A_TOKEN if settings.unit == TOKENS else 1
    size = max(size, 4 * settings.size * a_unit)
    at = start
    while at < end:
        window = text[at : min(end, at + size)]
        pieces = splitter.chunk_indices(window)
        found = [(at + place, at + place + len(piece)) for place, piece in pieces if piece.strip()]
        is_last = at + len(window) >= end
        if is_last or len(found) < 2 or found[-1][0] <= at:
            yield from found
            at += len(window)
        else:
            yield from found[:-1]
            at = found[-1][0]


def _splitter(settings: Settings, tokenizer: Path | None) -> Splitter:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter  # noqa: PLC0415 - 8 MB

    kind: Any = MarkdownSplitter if settings.strategy == MARKDOWN else TextSplitter
    splitter: Splitter = (
        kind.from_huggingface_tokenizer(
            _tokenizer(tokenizer), settings.size, overlap=settings.overlap
        )
        if settings.unit == TOKENS
        else kind(settings.size, overlap=settings.overlap)
    )
    return splitter


@lru_cache(maxsize=2)
def _tokenizer(path: Path | None) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415 - only who counts tokens loads it

    if path is None or not path.is_file():
        raise ChunkError("The tokenizer that was chosen is no longer there. Choose another one.")
    found = Tokenizer.from_str(path.read_text("utf-8"))
    found.no_truncation()
    found.no_padding()
    return found


def _character_spans(
    text: str, start: int, end: int, settings: Settings, tokenizer: Path | None
) -> Iterator[tuple[int, int]]:
    """Yield pieces of the same length, without white space at their ends."""
    if settings.unit == TOKENS:
        yield from _token_spans(text, start, end, settings, tokenizer)
        return
    at = start
    while at < end:
        until = _whole_sign(text, at, min(at + settings.size, end))
        yield from _trimmed(text, at, until)
        if until >= end:
            return
        at = max(_whole_sign(text, at, max(at + 1, until - settings.overlap)), at + 1)


def _token_spans(
    text: str, start: int, end: int, settings: Settings, tokenizer: Path | None
) -> Iterator[tuple[int, int]]:
    known = _tokenizer(tokenizer)
    at = start
    while at < end:
        if text[at].isspace():  # without it the next word may be other tokens
            at += 1
            continue
        offsets = _first_tokens(known, text, at, end, settings.size)
        until = at + max(1, offsets[-1][1]) if offsets else end
        yield from _trimmed(text, at, until)
        if until >= end:
            return
        again = offsets[-settings.overlap][0] if 0 < settings.overlap < len(offsets) else 0
        at = at + again if again else until


def _first_tokens(known: Any, text: str, at: int, end: int, most: int) -> list[tuple[int, int]]:
    """Return the places of the first tokens behind `at`, no more than so many by themselves."""
    length = most * CHARACTERS_A_TOKEN
    while True:
        window = text[at : min(end, at + length)]
        offsets: list[tuple[int, int]] = known.encode(window, add_special_tokens=False).offsets
        if len(offsets) > most or at + length >= end:
            break
        length *= 4
    while len(offsets) > most:
        begin, until = offsets[most - 1]
        shorter = until if until < len(window) else min(begin, len(window) - 1)
        if shorter < 1:  # one sign of many tokens
            break
        window = window[:shorter]
        offsets = known.encode(window, add_special_tokens=False).offsets
    return offsets


def _whole_sign(text: str, start: int, end: int) -> int:
    """Return where to cut so that a sign keeps its accents, if there is such a place near."""
    for near in range(end, max(start, end - 16), -1):
        if near >= len(text):
            return near
        is_joined = text[near] in JOINING or text[near - 1] == "\u200d"
        if not is_joined and not unicodedata.combining(text[near]):
            return near
    return end


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        first = start + len(piece) - len(piece.lstrip())
        yield first, first + len(bare)


def _with_headings(
    text: str, spans: list[tuple[int, int]], headings: list[Heading]
) -> Iterator[Cut]:
    known = list(paths(headings))
    starts = [start for start, _ in known]
    before = 0
    for start, end in spans:
        fresh = max(start, min(before, end - 1))
        fresh += len(text[fresh:end]) - len(text[fresh:end].lstrip())
        at = bisect_right(starts, fresh)
        yield Cut(start, end, known[at - 1][1] if at else ())
        before = end
