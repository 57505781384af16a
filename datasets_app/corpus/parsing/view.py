"""A file as a stream of UTF-8, with the place in the file of each byte that is read."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from datasets_app.corpus.detection.encoding import BLOCK, Encoding, blocks_of_lines


class ByteStream(Protocol):
    """What a reader reads from: UTF-8 bytes from the front to the end."""

    def read(self, size: int, /) -> bytes: ...


BAD_LINES_SHOWN = 20
OLD_PIECES = 1_000
ESCAPING = ("iso2022", "hz", "utf-7")
MOST_PENDING = 16 * BLOCK


@dataclass(slots=True)
class Bad:
    """What was odd in the bytes: lines in another encoding, and bytes that fit no character."""

    lines: int = 0
    shown: list[int] = field(default_factory=list)
    """The numbers of the first of those lines."""
    characters: int = 0

    def add_line(self, number: int) -> None:
        self.lines += 1
        if self.lines <= BAD_LINES_SHOWN:
            self.shown.append(number)


class Utf8File:
    """A file that is UTF-8 already: places are the file's own."""

    def __init__(self, path: Path, skip: int) -> None:
        self._file = path.open("rb")
        self._file.seek(skip)
        self._skip = skip
        self.bad = Bad()
        self.is_direct = skip == 0

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)

    def place(self, offset: int) -> int:
        """Return the place in the file of the byte at this offset of the stream."""
        return offset + self._skip

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    """Offset in the UTF-8 stream."""
    place: int
    """Offset in the file."""
    length: int
    """Bytes in the file."""
    encoding: str


@dataclass(slots=True)
class _Cursor:
    """How far a piece has been walked, character by character."""

    piece: _Piece
    offset: int
    place: int
    steps: Iterator[tuple[int, int]]


class TranscodedFile:
    """A file in another encoding, given as UTF-8 while it is read."""

    is_direct = False

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._file = path.open("rb")
        self._again = path.open("rb")
        self._file.seek(encoding.skip)
        self._encoding = encoding
        self._pieces: list[_Piece] = []
        self._texts = self._mixed() if encoding.fallback else self._whole(encoding.name)
        self._buffer = bytearray()
        self._produced = 0
        self._cursor: _Cursor | None = None
        self.bad = Bad()

    def read(self, size: int, /) -> bytes:
        while len(self._buffer) < size:
            text = next(self._texts, None)
            if text is None:
                break
            self._buffer += text
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def close(self) -> None:
        self._file.close()
        self._again.close()

    def place(self, offset: int) -> int:
        """Return the place in the file of the character at this offset of the stream.

        Offsets ascend from question to question: what lies behind the last one is forgotten.
        """
        number = bisect_right(self._pieces, offset, key=lambda piece: piece.start) - 1
        if number < 0:
            return self._encoding.skip
        piece = self._pieces[number]
        if number > OLD_PIECES:
            del self._pieces[:number]
        if piece.encoding == "utf-8":
            return piece.place + offset - piece.start
        return self._walk(piece, offset)

    def _walk(self, piece: _Piece, offset: int) -> int:
        """Find a place inside a piece; ascending questions cost one walk together."""
        cursor = self._cursor
        if cursor is None or cursor.piece is not piece or cursor.offset > offset:
            steps = self._characters(piece)
            cursor = self._cursor = _Cursor(piece, piece.start, piece.place, steps)
        while cursor.offset < offset:
            cursor.offset, cursor.place = next(cursor.steps, (offset, piece.place + piece.length))
        return cursor.place

    def _characters(self, piece: _Piece) -> Iterator[tuple[int, int]]:
        """Yield (offset in the stream, place in the file) after each character of a piece."""
        self._again.seek(piece.place)
        raw = self._again.read(piece.length)
        decoder = codecs.getincrementaldecoder(piece.encoding)("replace")
        start = piece.start
        for count in range(1, len(raw) + 1):
            text = decoder.decode(raw[count - 1 : count], count == len(raw))
            if text:
                start += len(encoded(text))
                yield start, piece.place + count

    def _keep(self, place: int, raw: bytes, encoding: str) -> bytes:
        """Note one piece and return it as UTF-8; neighbours in UTF-8 are one piece together."""
        text = raw.decode(encoding, "replace")
        if encoding != "utf-8":
            self.bad.characters += text.count("\ufffd")
        data = encoded(text)
        if encoding != "utf-8" or not self._pieces or self._pieces[-1].encoding != "utf-8":
            self._pieces.append(_Piece(self._produced, place, len(raw), encoding))
        self._produced += len(data)
        return data

    def _whole(self, name: str) -> Iterator[bytes]:
        """Decode in blocks that end with a whole character."""
        place, rest = self._encoding.skip, b""
        while block := self._file.read(BLOCK):
            raw = rest + block
            cut = len(raw) - _pending(raw, name)
            yield self._keep(place, raw[:cut], name)
            place, rest = place + cut, raw[cut:]
        if rest:
            yield self._keep(place, rest, name)

    def _mixed(self) -> Iterator[bytes]:
        """Decode line by line: UTF-8 where it is valid, the other encoding elsewhere."""
        place, line_number = self._encoding.skip, 1
        for block in blocks_of_lines(self._file):
            parts = [block] if _is_utf8(block) else _lines(block)
            for part in parts:
                name = "utf-8" if _is_utf8(part) else str(self._encoding.fallback)
                if name != "utf-8":
                    self.bad.add_line(line_number)
                yield self._keep(place, part, name)
                place += len(part)
                line_number += part.count(b"\n")


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _pending(raw: bytes, name: str) -> int:
    """Return how many last bytes belong to a character that goes on in the next block.

    Where escapes change what bytes mean, it is all behind the last line end: there they end.
    """
    if name.startswith(ESCAPING) and len(raw) < MOST_PENDING:
        return len(raw) - raw.rfind(b"\n") - 1
    decoder = codecs.getincrementaldecoder(name)("replace")
    decoder.decode(raw)
    return len(decoder.getstate()[0])


def _lines(block: bytes) -> list[bytes]:
    parts = block.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def open_view(path: Path, encoding: Encoding) -> Utf8File | TranscodedFile:
    """Open a file for reading as UTF-8."""
    if encoding.is_plain_utf8:
        return Utf8File(path, encoding.skip)
    return TranscodedFile(path, encoding)
