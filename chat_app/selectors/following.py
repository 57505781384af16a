"""Reading an answer while it is written, from a process that is no web process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from uuid import UUID

import redis
from django.conf import settings
from redis.exceptions import RedisError

from chat_app.events.streams import client, stream_of
from chat_app.models import Message

BLOCK_MS = 500
LOOK_SECONDS = 1.0
DOWN_SECONDS = 0.2


def words_of(message_id: UUID) -> Iterator[str]:
    """Yield an answer's text piece by piece until its end; together they are the row's text.

    Where the words gave way to others, those follow behind a line that says why.
    """
    server = client(settings.OTTO_STREAMS_URL)
    shown, place, looked_at = "", "0", time.monotonic()
    while True:
        pieces, place = _frames(server, message_id, place)
        for piece in pieces:
            shown += piece
            yield piece
        if pieces and time.monotonic() - looked_at < LOOK_SECONDS:
            continue
        looked_at = time.monotonic()
        row = Message.objects.select_related("generation").get(pk=message_id)
        if row.generation.is_under_way:
            continue
        if row.text.startswith(shown):
            yield row.text[len(shown) :]
        else:
            yield f"\n({row.generation.message})\n{row.text}"
        return


def _frames(server: redis.Redis, message_id: UUID, place: str) -> tuple[list[str], str]:
    """Return the words that came, and the place to read from next."""
    name = stream_of(Message.objects.values_list("generation", flat=True).get(pk=message_id))
    try:
        found = server.xread({name: place}, block=BLOCK_MS)
    except (RedisError, OSError):
        time.sleep(DOWN_SECONDS)
        return [], place
    entries = found[0][1] if found else []
    frames = [json.loads(body[b"f"]) for _, body in entries]
    last = entries[-1][0].decode() if entries else place
    return [frame["s"] for frame in frames if frame["t"] == "d"], last
