"""A socket that is closed waits for no notification any more."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from asgiref.sync import async_to_sync
from channels_redis.core import RedisChannelLayer

from otto_web.lib.layer import PatientLayer


def test_a_wait_ends_also_where_the_client_takes_the_cancellation_for_its_own(monkeypatch):
    async def hard_of_hearing(layer, channel):
        with suppress(asyncio.CancelledError):  # as redis-py does while it connects
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    monkeypatch.setattr(RedisChannelLayer, "receive", hard_of_hearing)

    async def scenario():
        waiting = asyncio.ensure_future(PatientLayer().receive("specific.a!b"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=60)
        return waiting

    waiting = async_to_sync(scenario)()
    assert waiting.cancelled()
