"""What the sockets of all rooms do alike: they read commands, and end what runs beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer


class TabConsumer(AsyncWebsocketConsumer):
    """The line of one tab: what runs beside it ends with it, however it ends.

    A line that an error ends is told no `disconnect`.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._beside: set[asyncio.Task[None]] = set()
        try:
            await super().__call__(scope, receive, send)
        finally:
            for task in self._beside:
                task.cancel()

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this while the line is open."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task


def parsed(text: str) -> dict[str, Any]:
    """Return the command, or an empty one for what is no JSON object."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
