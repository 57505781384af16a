"""Notifications say that something changed; whoever hears one reads the rows."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from otto_web.lib import delays

log = logging.getLogger(__name__)
QUIET_SECONDS = 5.0
RING_SECONDS = 0.8  # the layer itself would wait 15 s for a Redis that hangs
_quiet_until = 0.0


def notify(group: str, kind: str, **note: Any) -> None:
    """Tell a group's listeners to look again; never raises, because rows are the truth.

    `kind` is the consumer's method name; the note carries ids and numbers only. After a failure
    nothing is sent for a few seconds, so that a dead Redis costs one time-out, not hundreds.
    """
    global _quiet_until  # noqa: PLW0603 - one breaker per process
    if time.monotonic() < _quiet_until:
        return
    try:
        async_to_sync(_send)(group, {"type": kind, **note})
        delays.note_success()
    except (RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        delays.note_failure()
        log.warning("no notification for %s: %s", group, error)


async def _send(group: str, notification: dict[str, Any]) -> None:
    async with asyncio.timeout(RING_SECONDS):  # its TimeoutError is an OSError
        await get_channel_layer().group_send(group, notification)
