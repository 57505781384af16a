"""An exchange while it is answered, for whoever waits for it in one long request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from enum import Enum, auto
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from chat_app.consumers.token_stream import Overflow, mux
from chat_app.consumers.token_watch import TokenWatch
from chat_app.models import Generation
from chat_app.selectors.exchanges import Outcome, outcome_of
from chat_app.services.chats import request_stop
from otto_web.lib.models import ApiToken

LOOK_SECONDS = 5.0  # the row is read this often although the stream is silent
LOOK_DOWN_SECONDS = 1.0


class Sign(Enum):
    """What is told while there is no text."""

    WAITING = auto()
    BEGUN = auto()  # the engine reads the prompt


Piece = str | Sign | Outcome  # more of the text, and at last how it ended


class TokenEndedError(Exception):
    """The token was revoked, or its person may do less, while this was answered."""


async def answer_of(generation: Generation, token: ApiToken) -> AsyncGenerator[Piece, None]:
    """Yield an answer's text as it grows, and its outcome at the end.

    Whoever stops reading, or whose token ends, stops the answer. Raises TokenEndedError.
    """
    is_over = False
    pieces = _pieces(generation.pk)
    try:
        async with TokenWatch(token) as watch:
            ended = asyncio.ensure_future(watch.ended.wait())
            try:
                while not is_over:
                    piece = await _next(pieces, ended)
                    is_over = isinstance(piece, Outcome)
                    yield piece
            finally:
                ended.cancel()
    finally:
        await pieces.aclose()
        if not is_over:
            await asyncio.shield(database_sync_to_async(request_stop)(generation))


async def _next(pieces: AsyncGenerator[Piece, None], ended: asyncio.Future[Any]) -> Piece:
    following: asyncio.Future[Piece] = asyncio.ensure_future(_one(pieces))
    try:
        await asyncio.wait({following, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            raise TokenEndedError
        return following.result()
    finally:
        if not following.done():
            following.cancel()
            await asyncio.wait({following})


async def _one(pieces: AsyncGenerator[Piece, None]) -> Piece:
    return await anext(pieces)


async def _pieces(pk: UUID) -> AsyncGenerator[Piece, None]:
    text = _Text()
    while True:
        async with mux().following(str(pk), text.seq) as frames:
            while True:
                try:
                    frame = await frames.next(LOOK_DOWN_SECONDS if mux().is_down else LOOK_SECONDS)
                except Overflow:
                    break
                if frame is not None and frame["t"] != "end":
                    yield text.more(frame) if frame["t"] == "d" else Sign.BEGUN
                    text.seq = frame["seq"]
                    continue
                outcome = await _looked(pk)
                is_ahead = outcome is not None and (mux().is_down or not outcome.is_open)
                if outcome is not None and is_ahead and (rest := text.rest_of(outcome.text)):
                    yield rest
                if outcome is not None and not outcome.is_open:
                    yield outcome
                    return
                yield Sign.WAITING


async def _looked(pk: UUID) -> Outcome | None:
    """Return how far the row is; None while the database does not answer."""
    try:
        outcome: Outcome = await outcome_of(pk)
    except DatabaseError:
        return None
    return outcome


class _Text:
    """How far the text was told; frames and the row may run ahead of each other."""

    def __init__(self) -> None:
        self.seq, self._told = 0, ""

    def more(self, frame: dict[str, str | int]) -> str:
        said = self._told.encode("utf-16-le")
        behind = len(said) // 2 - int(frame["off"])
        if behind < 0:
            return ""  # a frame is missing: the row has it
        fresh = str(frame["s"]).encode("utf-16-le")[2 * behind :].decode("utf-16-le", "replace")
        self._told += fresh
        return fresh

    def rest_of(self, whole: str) -> str:
        """Return what the row has beyond what was told; nothing where other words took over."""
        fresh = whole[len(self._told) :] if whole.startswith(self._told) else ""
        self._told += fresh
        return fresh
