"""Answers that are sent piece by piece, so that no download is held in memory."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

_BLOCK_BYTES = 1 << 18


def stream(
    request: HttpRequest, blocks: Iterator[bytes], *, name: str, kind: str
) -> StreamingHttpResponse:
    """Answer with a download; under ASGI the blocks are read in threads, one at a time."""
    content = _in_threads(blocks) if isinstance(request, ASGIRequest) else blocks
    answer = StreamingHttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = _attachment(name)
    return answer


def _attachment(name: str) -> str:
    return content_disposition_header(as_attachment=True, filename=name) or "attachment"


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    def following() -> bytes | None:
        return next(blocks, None)

    while (block := await sync_to_async(following, thread_sensitive=False)()) is not None:
        yield block


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
