"""One reader per web process for all answers that its tabs follow."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from chat_app.events.streams import STREAM_SECONDS, stream_of

log = logging.getLogger(__name__)

BLOCK_MS = 1_000
MOST_FRAMES = 1_000  # held for one slow tab; beyond that it reads again from its last place
DOWN_SECONDS = 1.0
ANSWER_SECONDS = 3.0  # more than a read waits for news

Frame = dict[str, Any]


class Overflow(Exception):  # noqa: N818 - a state of the reader, not a fault
    """The tab was too slow; its frames were let go, and it must read again."""


class Subscription:
    """What one tab has still to see of one answer."""

    def __init__(self, gen: str, after: int) -> None:
        self.gen, self.seq = gen, after
        self._frames: deque[Frame] = deque()
        self._news = asyncio.Event()
        self._is_over = False

    def push(self, seq: int, frame: Frame) -> None:
        """Hold a frame for the tab, unless it has it already."""
        if seq <= self.seq or self._is_over:
            return
        self.seq = seq
        self._frames.append(frame)
        if len(self._frames) > MOST_FRAMES:
            self._frames.clear()
            self._is_over = True
        self._news.set()

    async def next(self, seconds: float) -> Frame | None:
        """Return the next frame, or None when none came in that time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if self._is_over:
            raise Overflow
        if not self._frames:
            return None
        frame = self._frames.popleft()
        if not self._frames:
            self._news.clear()
        return frame


class StreamMux:
    """Reads the streams of all followed answers in one task and hands frames to subscriptions."""

    def __init__(self) -> None:
        self._control = f"ctl:{uuid4()}"
        self._followers: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._places: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._server: redis.asyncio.Redis | None = None
        self.is_down = False

    @asynccontextmanager
    async def following(self, gen: str, after: int) -> AsyncIterator[Subscription]:
        """Follow an answer from the frame after `after`, for as long as the block lasts."""
        subscription = self._add(gen, after)
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._read())
            else:
                await self._wake()
            yield subscription
        finally:
            self._remove(subscription)

    def _add(self, gen: str, after: int) -> Subscription:
        subscription = Subscription(gen, after)
        self._followers[gen].add(subscription)
        known = self._places.get(gen)
        place = after if known is None else min(after, int(known.split("-")[0]))
        self._places[gen] = f"{place}-0"
        return subscription

    def _remove(self, subscription: Subscription) -> None:
        followers = self._followers[subscription.gen]
        followers.discard(subscription)
        if not followers:
            del self._followers[subscription.gen]
            self._places.pop(subscription.gen, None)

    async def _wake(self) -> None:
        """Make the reader look at its list again."""
        if self._server is None:
            return
        try:
            await self._server.xadd(self._control, {"": ""}, maxlen=10)
            await self._server.expire(self._control, STREAM_SECONDS)
        except (RedisError, OSError):
            self.is_down = True

    async def _read(self) -> None:
        """Read while anybody follows an answer."""
        self._server = redis.asyncio.Redis.from_url(
            settings.OTTO_STREAMS_URL, socket_connect_timeout=0.8, socket_timeout=ANSWER_SECONDS
        )
        try:
            while self._followers:
                await self._read_once(self._server)
        finally:
            server, self._server, self._task = self._server, None, None
            await server.aclose()

    async def _read_once(self, server: redis.asyncio.Redis) -> None:
        places = {stream_of(gen): place for gen, place in self._places.items()}
        places[self._control] = "$"
        try:
            found = await server.xread(places, block=BLOCK_MS, count=500)
            self.is_down = False
        except (RedisError, OSError) as error:
            if not self.is_down:
                log.warning("answers are followed by their rows: %s", error)
            self.is_down = True
            await asyncio.sleep(DOWN_SECONDS)
            return
        for name, entries in found or []:
            gen = name.decode().removeprefix("gen:")
            if gen in self._places and self._places[gen] == places[name.decode()]:
                self._hand_out(gen, entries)

    def _hand_out(self, gen: str, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        """Give frames to all who follow; somebody who came meanwhile waits for the next read."""
        for entry_id, body in entries:
            self._places[gen] = entry_id.decode()
            frame = json.loads(body[b"f"])
            for follower in self._followers[gen]:
                follower.push(frame["seq"], frame)


_muxes: WeakKeyDictionary[asyncio.AbstractEventLoop, StreamMux] = WeakKeyDictionary()


def mux() -> StreamMux:
    """Return the reader of this event loop: one per web process."""
    return _muxes.setdefault(asyncio.get_running_loop(), StreamMux())
