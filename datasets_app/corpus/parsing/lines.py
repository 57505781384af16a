"""Lines of a byte stream: they end at LF, CRLF or CR, never at another sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from datasets_app.corpus.parsing.view import ByteStream

BLOCK = 1 << 18
LONGEST_LINE = 16 << 20


class Line(NamedTuple):
    """One line with its end mark; `data` is None when it is longer than the limit."""

    number: int
    start: int
    end: int
    data: bytes | None


def split_lines(stream: ByteStream, limit: int = LONGEST_LINE) -> Iterator[Line]:
    """Yield every line in order, holding no more than `limit` bytes of one."""
    number, start = 1, 0
    for data, size in _joined(_raw_lines(stream), limit):
        yield Line(number, start, start + size, data)
        number, start = number + 1, start + size


def _raw_lines(stream: ByteStream) -> Iterator[bytes]:
    """Yield pieces of lines; only the last piece of a line ends with its end mark."""
    rest = b""
    while block := stream.read(BLOCK):
        block = rest + block
        rest = b""
        if block.endswith(b"\r"):  # the LF of a CRLF may stand in the next block
            block, rest = block[:-1], b"\r"
        yield from _pieces(block)
    if rest:
        yield rest


def _pieces(block: bytes) -> Iterator[bytes]:
    parts = block.split(b"\n")
    last = parts.pop()
    for part in parts:
        if b"\r" in part[:-1]:
            yield from _at_returns(part + b"\n")
        else:
            yield part + b"\n"
    if last:
        yield from _at_returns(last)


def _at_returns(part: bytes) -> Iterator[bytes]:
    """Cut at each CR that is not followed by LF."""
    start = 0
    while (at := part.find(b"\r", start)) >= 0:
        if part[at + 1 : at + 2] == b"\n":
            break
        yield part[start : at + 1]
        start = at + 1
    if start < len(part):
        yield part[start:]


def _joined(pieces: Iterator[bytes], limit: int) -> Iterator[tuple[bytes | None, int]]:
    """Put the pieces of one line together; a line over the limit keeps only its size."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size <= limit:
            held.append(piece)
        else:
            held.clear()
        if piece.endswith((b"\n", b"\r")):
            yield (b"".join(held) if size <= limit else None), size
            held, size = [], 0
    if size:
        yield (b"".join(held) if size <= limit else None), size
