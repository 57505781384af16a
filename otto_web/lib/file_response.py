"""Downloads that are sent piece by piece, so that none is held in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from otto_web.lib import audit

ONE_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")
PARTIAL, UNSATISFIABLE = 206, 416


@dataclass(frozen=True, slots=True)
class Whole:
    """What must be known of a file before a part of it can be asked for."""

    size: int
    tag: str  # the same as long as the bytes are


def stream(
    request: HttpRequest,
    blocks: Iterator[str] | Iterator[bytes],
    *,
    of: Model,
    name: str,
    kind: str,
    whole: Whole | None = None,
) -> HttpResponseBase:
    """Answer with a file of this name; the next block is made when the one before has gone.

    Under ASGI the blocks are made in the request's own thread, where its database cursor lives:
    Django would collect a plain iterator in memory first. With `whole` a reader may go on where a
    line broke (Range, If-Range). HEAD gets the headers. That somebody took the file is recorded.
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
    if part is None or part.start == 0:
        audit.record(request.user, "download", of, after={"file": name})  # type: ignore[arg-type]
    wanted: Iterator[bytes] = (_bytes(block) for block in blocks)
    if part is not None:
        wanted = _only(wanted, part)
    content = _one_by_one(wanted) if isinstance(request, ASGIRequest) else wanted
    return _with_headers(StreamingHttpResponse(content, content_type=kind), name, whole, part)


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


def _bytes(block: str | bytes) -> bytes:
    return block.encode() if isinstance(block, str) else block


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

    while (block := await sync_to_async(following)()) is not None:
        yield block
