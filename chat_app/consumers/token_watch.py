"""Whether a token may still be used, while something is being answered to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Self

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from otto_web.lib.models import ApiToken
from otto_web.lib.presence import hear_of_person, leave_person
from otto_web.lib.tokens import is_still_good

CHECK_SECONDS = 5.0  # notifications may be missed, rows are not


class TokenWatch:
    """Looks at a token again at every notification for its person, and every few seconds.

    So a token that was revoked ends what is answered to it at once, or within `CHECK_SECONDS` and
    the time of a look where no notification comes. While the database does not answer, nobody can
    tell: the answer goes on until it can. `async with TokenWatch(token) as watch`, then
    `await watch.ended.wait()`; a watch that fails ends, too.
    """

    def __init__(self, token: ApiToken) -> None:
        self._token = token
        self.ended = asyncio.Event()
        self.channel_layer: Any = get_channel_layer()
        self.channel_name = ""

    async def __aenter__(self) -> Self:
        self.channel_name = await self.channel_layer.new_channel()
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await self._task  # raises what the watch failed of
        finally:
            await leave_person(self, self._token.user_id)

    async def _look(self) -> None:
        try:
            while True:
                await hear_of_person(self, self._token.user_id)  # before the look: none is missed
                with suppress(DatabaseError):  # looked at again in a moment
                    if not await database_sync_to_async(is_still_good)(self._token):
                        return
                await self._listen()
        finally:
            self.ended.set()  # nobody watches any more

    async def _listen(self) -> None:
        """Return at a notification, or when it is time to look anyway."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self.channel_layer.receive(self.channel_name)
        except TimeoutError:
            return
        except (RedisError, OSError):
            await asyncio.sleep(CHECK_SECONDS)
