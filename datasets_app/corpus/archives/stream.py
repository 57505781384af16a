"""Packed streams (gzip, bzip2, xz) read in small steps under one meter."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from datasets_app.corpus.archives.limits import ArchiveStop, MemberStop, Meter

BLOCK = 1 << 16
PACKED_BLOCK = 1 << 12
"""Small, so that the ratio is judged before much more than the limit has come out."""


class Unpacker(Protocol):
    """What bz2 and lzma offer; zlib is fitted to it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Gunzip:
    """A zlib stream that keeps its own unconsumed input."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


MARKS = {"gz": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00"}


def unpackers(dictionary_bytes: int) -> dict[str, Callable[[], Unpacker]]:
    """Return how to begin a stream of each packing."""
    return {
        "gz": Gunzip,
        "bz2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(memlimit=dictionary_bytes),
    }


class CappedReader:
    """Unpacked bytes of a file; concatenated streams are one, and rubbish after them is noted."""

    def __init__(self, file: BinaryIO, packing: str, meter: Meter) -> None:
        self._file = file
        self._meter = meter
        self._packing = packing
        self._begin = unpackers(meter.limits.dictionary_bytes).get(packing)
        self._unpacker = self._begin() if self._begin else None
        self._ready = b""
        self.at = 0
        self.has_junk = False
        self._is_ended = False

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while len(self._ready) < size and not self._is_ended:
            self._ready += self._next()
        data, self._ready = self._ready[:size], self._ready[size:]
        self.at += len(data)
        return data

    def _next(self) -> bytes:
        if self._unpacker is None:
            data = self._file.read(BLOCK)
            self._is_ended = not data
            self._count(len(data), len(data))
            return data
        if self._unpacker.eof:
            return self._next_stream(self._unpacker.unused_data)
        packed = self._file.read(PACKED_BLOCK) if self._unpacker.needs_input else b""
        if self._unpacker.needs_input and not packed:
            at = self._meter.consumed
            raise ArchiveStop("bad_archive", f"The packed data is cut short (byte {at:,})", at)
        return self._unpack(packed)

    def _unpack(self, packed: bytes, counted: int | None = None) -> bytes:
        at = self._meter.consumed
        try:
            data = self._unpacker.decompress(packed, BLOCK) if self._unpacker else packed
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            message = f"The packed data is damaged: {error} (near byte {at:,})"
            raise ArchiveStop("bad_archive", message, at) from None
        self._count(len(data), len(packed) if counted is None else counted)
        return data

    def _count(self, produced: int, consumed: int) -> None:
        """A limit ends the whole stream: what follows cannot be reached without reading it."""
        try:
            self._meter.add(produced, consumed)
        except MemberStop as stop:
            raise ArchiveStop(stop.code, stop.message, stop.at) from None

    def _next_stream(self, rest: bytes) -> bytes:
        """Go on with a concatenated stream; zeros may follow, anything else is junk."""
        mark = MARKS[self._packing]
        while len(rest) < len(mark) and (more := self._file.read(PACKED_BLOCK)):
            rest += more
            self._count(0, len(more))
        if self._begin and rest.startswith(mark):
            self._unpacker = self._begin()
            return self._unpack(rest, 0)
        self._is_ended = True
        self.has_junk = bool(rest.strip(b"\0"))
        return b""
