"""Finds where JSON values end in a stream of any length, holding one value at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from datasets_app.corpus.parsing.json_text import DEEPEST
from datasets_app.corpus.parsing.view import ByteStream

BLOCK = 1 << 16
LONGEST_VALUE = 16 << 20
SPACE = re.compile(rb"[ \t\r\n]*")
SKIP = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
STRING_REST = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
SCALAR = re.compile(rb'[^ \t\r\n,:"{}\[\]]*')
BOM = b"\xef\xbb\xbf"
ANY_DEPTH = 1 << 60
QUOTE = 0x22
DEPTH = {0x7B: 1, 0x5B: 1, 0x7D: -1, 0x5D: -1}


class Extent(Enum):
    """How a value ends."""

    WHOLE = auto()
    TOO_LONG = auto()
    TOO_NESTED = auto()
    CUT = auto()


@dataclass(slots=True)
class _Scan:
    """A walk through one value that can be interrupted where the buffer ends."""

    at: int
    depth: int = 0
    in_string: bool = False

    def run(self, data: bytes, deepest: int) -> int | None:
        """Return the end of the value, None when it lies beyond the data, -1 when too deep."""
        while self._reach(data):
            self.depth += DEPTH.get(data[self.at], 0)
            self.at += 1
            if self.depth <= 0:
                return self.at
            if self.depth > deepest:
                return -1
        return None

    def _reach(self, data: bytes) -> bool:
        """Go to the next bracket, or to the last sign of a string that stands alone."""
        if not self.in_string:
            found = SKIP.match(data, self.at)
            self.at = found.end() if found else self.at
        if self.at < len(data) and (self.in_string or data[self.at] == QUOTE):
            if not self._end_string(data):
                return False
            if self.depth == 0:
                self.at -= 1
                return True
            return self._reach(data)
        return self.at < len(data)

    def _end_string(self, data: bytes) -> bool:
        start = self.at if self.in_string else self.at + 1
        found = STRING_REST.match(data, start)
        self.at = found.end() if found else start
        self.in_string = self.at >= len(data) or data[self.at] != QUOTE
        if not self.in_string:
            self.at += 1
        return not self.in_string


class Cursor:
    """A place in a JSON stream that knows its line and column."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._base = 0
        self._is_ended = False
        self.line = 1
        self._line_start = 0

    @property
    def place(self) -> int:
        return self._base + self._at

    @property
    def column(self) -> int:
        return self.place - self._line_start + 1

    def peek(self) -> bytes:
        """Pass over white space and return the next byte, b"" at the end."""
        while True:
            found = SPACE.match(self._buffer, self._at)
            self.advance((found.end() if found else self._at) - self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def passes(self, mark: bytes) -> bool:
        """Pass over `mark` if it stands here."""
        while len(self._buffer) - self._at < len(mark) and self._more():
            pass
        if not self._buffer.startswith(mark, self._at):
            return False
        self.advance(len(mark))
        return True

    def advance(self, count: int) -> None:
        """Pass over bytes of the buffer, counting lines."""
        lines = self._buffer.count(b"\n", self._at, self._at + count)
        if lines:
            self.line += lines
            last = self._buffer.rfind(b"\n", self._at, self._at + count)
            self._line_start = self._base + last + 1
        self._at += count

    def see(self, limit: int = LONGEST_VALUE) -> tuple[Extent, bytes]:
        """Return the value that begins here, without passing over it."""
        if self._buffer[self._at : self._at + 1] in {b"{", b"[", b'"'}:
            return self._see_bounded(limit)
        return self._see_scalar(limit)

    def _scan(self) -> _Scan:
        is_string = self._buffer[self._at : self._at + 1] == b'"'
        return _Scan(self._at + is_string, in_string=is_string)

    def skip_value(self) -> None:
        """Pass over a container or string of any length or depth, holding one block of it."""
        scan = self._scan()
        while (end := scan.run(self._buffer, ANY_DEPTH)) is None:
            self.advance(scan.at - self._at)
            if not self._more():
                self.advance(len(self._buffer) - self._at)
                return
            scan.at = self._at
        self.advance(end - self._at)

    def skip_line(self) -> None:
        """Pass over the rest of the line."""
        self.skip_to(b"\n")

    def skip_to(self, mark: bytes) -> None:
        """Pass over everything up to and including `mark`."""
        while (at := self._buffer.find(mark, self._at)) < 0:
            self.advance(max(0, len(self._buffer) - self._at - len(mark) + 1))
            if not self._more():
                self.advance(len(self._buffer) - self._at)
                return
        self.advance(at + len(mark) - self._at)

    def skip_rest(self) -> None:
        """Pass over all that is left."""
        self.advance(len(self._buffer) - self._at)
        while self._more():
            self.advance(len(self._buffer) - self._at)

    def _see_bounded(self, limit: int) -> tuple[Extent, bytes]:
        scan = self._scan()
        while (end := scan.run(self._buffer, DEEPEST)) is None:
            grown = self._grow(limit)
            scan.at -= self._shifted
            if grown is not Extent.WHOLE:
                return grown, b""
        if end < 0:
            return Extent.TOO_NESTED, b""
        return Extent.WHOLE, self._buffer[self._at : end]

    def _see_scalar(self, limit: int) -> tuple[Extent, bytes]:
        while True:
            found = SCALAR.match(self._buffer, self._at)
            end = found.end() if found else self._at
            if end < len(self._buffer):
                return Extent.WHOLE, self._buffer[self._at : end]
            grown = self._grow(limit)
            if grown is Extent.CUT:
                return Extent.WHOLE, self._buffer[self._at : end]
            if grown is Extent.TOO_LONG:
                return grown, b""

    _shifted = 0

    def _grow(self, limit: int) -> Extent:
        """Read on, at least doubling what is held, so that long values cost linear time."""
        held = len(self._buffer) - self._at
        if held > limit:
            self._shifted = 0
            return Extent.TOO_LONG
        self._shifted = self._at
        return Extent.WHOLE if self._more(max(BLOCK, held)) else Extent.CUT

    def _more(self, count: int = BLOCK) -> bool:
        """Read the next block and drop what has been passed; False at the end."""
        if self._is_ended:
            self._shifted = 0
            return False
        block = self._stream.read(count)
        self._is_ended = not block
        self._base += self._at
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return bool(block)
