"""Sockets in tests that must not open."""

from __future__ import annotations

PATIENCE_SECONDS = 10


async def is_refused(line):
    """Say whether the handshake fails, and end the consumer: one left behind outlives its loop."""
    opened, _ = await line.connect(timeout=PATIENCE_SECONDS)
    await line.disconnect(timeout=PATIENCE_SECONDS)
    return not opened
