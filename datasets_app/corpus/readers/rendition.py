"""The text of a document while the process that opened it tells its parts."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.source import (
    REASONS,
    Gap,
    Item,
    Joined,
    PartTally,
    PartVerdict,
    Problem,
    Record,
)

LOST = frozenset({"needs_ocr", "bad_page", "unreadable"})
"""Reasons that a person should know of although the rest of the document was loaded."""


@dataclass(slots=True)
class _Part:
    """A part whose text has been given to the reader, and what became of it so far."""

    start: int
    end: int
    place: str
    line: int
    remark: str
    verdict: PartVerdict = "skipped"


@dataclass(slots=True)
class Rendition:
    """A stream of UTF-8 that knows from which part each of its bytes came.

    `told` are a text, a place for people and a reason each: parts with a reason and no text are
    not loaded, those with both are loaded with a remark; texts without a place stand between parts.
    """

    told: Iterator[Any]
    tally: PartTally
    _buffer: bytearray = field(default_factory=bytearray)
    _size: int = 0
    _line: int = 1
    _remarks: list[Problem] = field(default_factory=list)
    _open: deque[_Part] = field(default_factory=deque)
    _lost: list[Problem] = field(default_factory=list)

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them."""
        self._fill(size)
        return bytes(self._buffer[:size])

    def read(self, size: int, /) -> bytes:
        self._fill(size)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            told = next(self.told, None)
            if told is None:
                return
            text, place, reason = told
            data = text.encode("utf-8", "replace")
            if reason and not data:
                self._without_text(place, reason)
            elif place and data:
                end = self._size + len(data)
                self._open.append(_Part(self._size, end, place, self._line, reason))
            self._buffer += data
            self._size += len(data)
            self._line += text.count("\n")

    def _without_text(self, place: str, reason: str) -> None:
        """Count a part without text; one that people see text in is told, too."""
        self.tally.add("failed" if reason in LOST else "skipped")
        if reason in LOST:
            message = f"{place}: {REASONS[reason]}"
            self._lost.append(Problem(0, 0, self._line, 1, reason, message, place=place))

    def items(self, found: Iterator[Item]) -> Iterator[Item]:
        """Yield a reader's items with their places; they tile the text, and each part counts."""
        at = 0
        for item in found:
            if item.start > at:
                yield self._settled(Gap(at, item.start))
            if item.end > item.start or isinstance(item, Problem):
                settled = self._settled(item)
                yield from self._remarks
                self._remarks.clear()
                yield settled
            at = item.end
        while self.read(1 << 18):
            continue  # a reader may stop early: what it left counts, too
        if at < self._size:
            yield self._settled(Gap(at, self._size))
        while self._open:
            self.tally.add(self._open.popleft().verdict)
        for problem in self._lost:
            yield dataclasses.replace(problem, start=self._size, end=self._size)

    def _remark(self, part: _Part, at: int) -> None:
        """Keep what is odd in a part until its first record comes."""
        if part.remark:
            message = f"{part.place}: {REASONS[part.remark]}"
            self._remarks.append(
                Problem(at, at, part.line, 1, part.remark, message, place=part.place)
            )
            part.remark = ""

    def _settled(self, item: Item) -> Item:
        """Note for the parts under an item what became of them; return it with its place."""
        places: list[str] = []
        for part in self._open:
            if part.start >= max(item.end, item.start + 1):
                break
            if part.end > item.start:
                places.append(part.place)
                if isinstance(item, Record | Joined):
                    part.verdict = "loaded"
                    self._remark(part, item.start)
                elif isinstance(item, Problem) and item.end > item.start:
                    part.verdict = "loaded" if part.verdict == "loaded" else "failed"
        while self._open and self._open[0].end <= item.end:
            self.tally.add(self._open.popleft().verdict)
        if isinstance(item, Gap | Joined) or not places:
            return item
        first, last = places[0], places[-1]
        place = first if first == last else f"{first} to {last}"
        return dataclasses.replace(item, place=place)
