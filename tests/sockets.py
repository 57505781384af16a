"""Sockets of tabs in tests; a time-out of the communicator would end the consumer."""

from __future__ import annotations

from channels.testing import WebsocketCommunicator

PATIENCE_SECONDS = 120  # costs nothing where all is well


class Line(WebsocketCommunicator):
    """A socket that waits as long as a busy machine may need."""

    async def connect(self, timeout=PATIENCE_SECONDS):  # noqa: ASYNC109
        return await super().connect(timeout)

    async def disconnect(self, code=1000, timeout=PATIENCE_SECONDS):  # noqa: ASYNC109
        await super().disconnect(code, timeout)

    async def receive_output(self, timeout=PATIENCE_SECONDS):  # noqa: ASYNC109
        return await super().receive_output(timeout)

    async def receive_from(self, timeout=PATIENCE_SECONDS):  # noqa: ASYNC109
        return await super().receive_from(timeout)


async def is_refused(line):
    """Say whether the handshake fails, and end the consumer: one left behind outlives its loop."""
    opened, _ = await line.connect()
    await line.disconnect()
    return not opened
