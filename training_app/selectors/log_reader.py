"""The log of a run, read on while it grows or backwards from its end; whole lines only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import BinaryIO
from uuid import UUID

from training_app.models import paths
from training_app.models.paths import log_files

_BLOCK_BYTES = 16_384
_OPENING_BYTES = 64  # hold the time of a file's first line

_Key = tuple[int, bytes]


@dataclass(slots=True)
class LogReader:
    """Knows how far it has read each file, however they are turned meanwhile.

    A file is known by its inode, which it keeps when it is turned, and by how it begins: a new one
    may get the inode of one that was dropped.
    """

    run_id: UUID
    _read: dict[_Key, int] = field(default_factory=dict)  # bytes
    _seen: set[_Key] = field(default_factory=set)  # at the last look

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that came since the last call."""
        before, self._seen = self._seen, set()
        for path in log_files(paths.run_folder(self.run_id)):
            with suppress(FileNotFoundError), path.open("rb") as file:  # may be dropped just now
                yield from self._lines_of(file)
        known = before | self._seen  # one that was turned during this look is found by the next
        self._read = {key: at for key, at in self._read.items() if key in known}

    def _lines_of(self, file: BinaryIO) -> Iterator[bytes]:
        key = _key(file)
        if key is None:
            return
        self._seen.add(key)
        file.seek(self._read.get(key, 0))
        for line in file:
            if not line.endswith(b"\n"):
                return  # half written
            self._read[key] = self._read.get(key, 0) + len(line)
            yield line.rstrip(b"\n")

    def newest(self) -> Iterator[bytes]:
        """Yield the lines that are there, the newest first; `lines` goes on behind them."""
        with ExitStack() as opened:
            files = []
            for path in log_files(paths.run_folder(self.run_id)):
                with suppress(FileNotFoundError):
                    file = opened.enter_context(path.open("rb"))
                    if (key := _key(file)) is not None:
                        self._seen.add(key)
                        self._read[key] = end = _end_of_lines(file)
                        files.append((file, end))
            for file, end in reversed(files):
                yield from _backwards(file, end)


def _key(file: BinaryIO) -> _Key | None:
    """Return by what a file is known; None until it holds enough."""
    opening = file.readline(_OPENING_BYTES)
    if len(opening) < _OPENING_BYTES and not opening.endswith(b"\n"):
        return None
    return os.fstat(file.fileno()).st_ino, opening


def _end_of_lines(file: BinaryIO) -> int:
    """Return where the last whole line ends."""
    at = file.seek(0, os.SEEK_END)
    while at:
        begin = max(0, at - _BLOCK_BYTES)
        file.seek(begin)
        found = file.read(at - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        at = begin
    return 0


def _backwards(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield the lines before a line's end, the last one first."""
    if not end:
        return
    at, rest = end - 1, b""
    while at:
        begin = max(0, at - _BLOCK_BYTES)
        file.seek(begin)
        rest, *lines = (file.read(at - begin) + rest).split(b"\n")
        yield from reversed(lines)
        at = begin
    yield rest
