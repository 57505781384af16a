"""Downloads that are sent piece by piece, so that none is held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

Block = TypeVar("Block", str, bytes)


def stream(
    request: HttpRequest, blocks: Iterator[Block], *, name: str, kind: str
) -> StreamingHttpResponse:
    """Answer with a file of this name; the next block is made when the one before has gone.

    Under ASGI the blocks are made in the request's own thread, where its database cursor lives:
    Django would collect a plain iterator in memory first.
    """
    content = _one_by_one(blocks) if isinstance(request, ASGIRequest) else blocks
    answer = StreamingHttpResponse(content, content_type=kind)
    header = content_disposition_header(as_attachment=True, filename=name)
    answer["Content-Disposition"] = header or "attachment"
    return answer


async def _one_by_one(blocks: Iterator[Block]) -> AsyncIterator[Block]:
    def following() -> Block | None:
        return next(blocks, None)

    while (block := await sync_to_async(following)()) is not None:
        yield block
