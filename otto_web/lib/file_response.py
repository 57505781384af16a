"""Downloads that are sent piece by piece, so that none is held in memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from otto_web.lib import audit

ONE_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")
PARTIAL, UNSATISFIABLE = 206, 416
BLOCK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Whole:
    """What must be known of a file before a part of it can be asked for."""

    size: int
    tag: str  # the same as long as the bytes are


@dataclass(frozen=True, slots=True)
class FileBlocks:
    """A file on disk, block by block; a part of it is read without what stands before."""

    path: Path

    def __iter__(self) -> Iterator[bytes]:
        return self.part(range(self.path.stat().st_size))

    def part(self, part: range) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(part.start)
            left = len(part)
            while left and (block := file.read(min(BLOCK_BYTES, left))):
                left -= len(block)
                yield block


Pieces = Iterator[str] | Iterator[bytes] | FileBlocks


def stream(
    request: HttpRequest,
    pieces: Pieces,
    *,
    of: Model,
    name: str,
    kind: str,
    whole: Whole | None = None,
) -> HttpResponseBase:
    """Answer with a file of this name, however slowly it is taken.

    Under ASGI the pieces are made in the request's own thread, where its database cursor lives:
    Django would collect a plain iterator in memory first. With `whole` they come from files, each
    when the one before has gone, and a reader may go on where a line broke (Range, If-Range).
    Without it they come from rows, are joined to blocks, and wait on disk for a slow reader; what
    fails in the first block is raised here. HEAD gets the headers. That somebody took the file is
    recorded.
    """
    if whole is None:
        part = None
    else:
        part = _asked_part(request, whole)
        if part is not None and part.start >= whole.size:
            answer = HttpResponse(status=UNSATISFIABLE, content_type=kind)
            answer["Content-Range"] = f"bytes */{whole.size}"
            return answer
    if request.method == "HEAD":
        return _with_headers(HttpResponse(content_type=kind), name, whole, part)
    wanted = _wanted(pieces, whole, part)
    if part is None or part.start == 0:
        audit.record(request.user, "download", of, after={"file": name})  # type: ignore[arg-type]
    send = _ahead if whole is None else _one_by_one
    content = send(wanted) if isinstance(request, ASGIRequest) else wanted
    return _with_headers(StreamingHttpResponse(content, content_type=kind), name, whole, part)


def is_readable_range(request: HttpRequest) -> bool:
    """Return whether a request asks for no range, or for one in a form that is read here."""
    text = request.headers.get("Range", "").strip()
    found = ONE_RANGE.fullmatch(text)
    if not text or found is None:
        return not text
    first, last = found.groups()
    return any(found.groups()) and not (first and last and int(last) < int(first))


def _asked_part(request: HttpRequest, whole: Whole) -> range | None:
    """Return which bytes are wanted; None for all of them, also where the file has changed."""
    found = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    known = request.headers.get("If-Range", "").strip()
    if request.method != "GET" or found is None or not any(found.groups()):
        return None
    if known and known != f'"{whole.tag}"':
        return None
    first, last = found.groups()
    if first is None:
        return (
            range(max(0, whole.size - int(last)), whole.size)
            if int(last)
            else range(whole.size, whole.size)
        )
    stop = min(int(last) + 1, whole.size) if last else whole.size
    if last and int(last) < int(first):
        return None
    return range(int(first), max(stop, int(first)))


def _with_headers(
    answer: HttpResponseBase, name: str, whole: Whole | None, part: range | None
) -> HttpResponseBase:
    header = content_disposition_header(as_attachment=True, filename=name)
    answer["Content-Disposition"] = header or "attachment"
    answer["Accept-Ranges"] = "none" if whole is None else "bytes"
    if whole is not None:
        answer["ETag"] = f'"{whole.tag}"'
        answer["Content-Length"] = str(whole.size if part is None else len(part))
    if whole is not None and part is not None:
        answer.status_code = PARTIAL
        answer["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{whole.size}"
    return answer


def _wanted(pieces: Pieces, whole: Whole | None, part: range | None) -> Iterator[bytes]:
    if whole is None:
        joined = _joined(pieces)
        return chain([next(joined, b"")], joined)
    if part is None:
        return map(_bytes, pieces)
    return pieces.part(part) if isinstance(pieces, FileBlocks) else _only(map(_bytes, pieces), part)


def _bytes(piece: str | bytes) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece


def _joined(pieces: Pieces) -> Iterator[bytes]:
    """Yield large blocks: each costs a change of threads, however small it is."""
    block = bytearray()
    for piece in pieces:
        block += _bytes(piece)
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _only(blocks: Iterator[bytes], part: range) -> Iterator[bytes]:
    """Yield the bytes of the part; what stands before it is made and let go."""
    at = 0
    for data in blocks:
        begin, end = max(part.start - at, 0), part.stop - at
        at += len(data)
        if data[begin:end]:
            yield data[begin:end]
        if at >= part.stop:
            return


async def _one_by_one(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    def following() -> bytes | None:
        return next(blocks, None)

    await sync_to_async(close_old_connections)()  # others need it while this is sent
    while (block := await sync_to_async(following)()) is not None:
        yield block


async def _ahead(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the blocks, made at their own speed, so that no reader holds a database connection."""
    spool = _Spool(blocks)
    filling = asyncio.create_task(spool.fill())
    try:
        while block := await spool.following():
            yield block
        await filling
    finally:
        filling.cancel()
        await sync_to_async(spool.close)()


class _Spool:
    """Bytes that were made and not yet taken. Its file is used by the request's thread alone."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._file = blocks, TemporaryFile()  # noqa: SIM115 - closed by close()
        self._made = self._taken = 0
        self._is_over = False
        self._changed = asyncio.Event()

    async def fill(self) -> None:
        try:
            while await sync_to_async(self._make)():
                self._changed.set()
        finally:
            self._is_over = True
            self._changed.set()

    def _make(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            close_old_connections()
            return False
        self._file.seek(self._made)
        self._made += self._file.write(block)
        return True

    async def following(self) -> bytes:
        """Return the next bytes, as soon as there are some; nothing at the end."""
        while self._taken == self._made and not self._is_over:
            self._changed.clear()
            await self._changed.wait()
        return await sync_to_async(self._take)()

    def _take(self) -> bytes:
        self._file.seek(self._taken)
        block = self._file.read(BLOCK_BYTES)
        self._taken += len(block)
        return block

    def close(self) -> None:
        """Let go of the rows and of the file."""
        self._blocks = iter(())
        self._file.close()
