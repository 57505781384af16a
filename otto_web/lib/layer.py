"""The channel layer of the house: a Redis that is away closes no socket."""

from __future__ import annotations

import asyncio
from typing import Any

from channels_redis.core import RedisChannelLayer
from redis.exceptions import RedisError

AWAY_SECONDS = 1.0
AGAIN_SECONDS = 0.1


class PatientLayer(RedisChannelLayer):
    """Waits for notifications until Redis is back, where the stock layer would end the consumer."""

    async def receive(self, channel: str) -> dict[str, Any]:
        while True:
            waiting = asyncio.ensure_future(super().receive(channel))
            try:
                found: dict[str, Any] = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                await _end(waiting)
                raise
            except (RedisError, OSError):
                await asyncio.sleep(AWAY_SECONDS)
            else:
                return found


async def _end(waiting: asyncio.Future[Any]) -> None:
    """Cancel until it ends: a client that is just connecting takes a cancellation for its own.

    It would then wait for a message to a socket that is closed, and keep the socket in memory.
    """
    while not waiting.done():
        waiting.cancel()
        await asyncio.wait([waiting], timeout=AGAIN_SECONDS)
    if not waiting.cancelled():
        waiting.exception()  # looked at, so nobody complains of it
