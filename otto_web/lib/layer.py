"""The channel layer of the house: a Redis that is away closes no socket."""

from __future__ import annotations

import asyncio
from typing import Any

from channels_redis.core import RedisChannelLayer
from redis.exceptions import RedisError

AWAY_SECONDS = 1.0


class PatientLayer(RedisChannelLayer):
    """Waits for notifications until Redis is back, where the stock layer would end the consumer."""

    async def receive(self, channel: str) -> dict[str, Any]:
        while True:
            try:
                found: dict[str, Any] = await super().receive(channel)
            except (RedisError, OSError) as error:
                if _is_cancelled():  # the client may turn a cancellation into an error of its own
                    raise asyncio.CancelledError from error
                await asyncio.sleep(AWAY_SECONDS)
            else:
                return found


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
