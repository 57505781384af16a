"""What downloads of runs and models consist of, block by block."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

_BLOCK_BYTES = 1 << 18


def spooled(pieces: Iterable[str]) -> Iterator[bytes]:
    """Return a text in blocks; it is made whole first, on disk, so that one thread reads rows."""
    file = TemporaryFile()  # noqa: SIM115 - closed by the generator, also where it is given up
    file.writelines(piece.encode() for piece in pieces)
    file.seek(0)
    blocks = _read_and_close(file)
    next(blocks)
    return blocks


def _read_and_close(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield b""
        while block := file.read(_BLOCK_BYTES):
            yield block


class _Sink:
    """Where a ZIP writer writes to; what was written is taken out again at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is no buffer below."""

    def take(self) -> bytes:
        joined = b"".join(self._parts)
        self._parts.clear()
        return joined


def zip_blocks(folder: Path, *, root: str) -> Iterator[bytes]:
    """Yield a ZIP archive of a folder's files, stored below `root`, in a fixed order."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{root}/{path.relative_to(folder).as_posix()}")
            entry.file_size = path.stat().st_size
            with archive.open(entry, "w") as member, path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    member.write(block)
                    yield sink.take()
    yield sink.take()
