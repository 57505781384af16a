"""What goes to Redis about answers: hints for the engine and the frames of each answer.

Redis may be down or wiped at any moment: rows are the truth, so nothing here ever raises.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from redis.exceptions import RedisError

from otto_web.lib import delays

log = logging.getLogger(__name__)

REQUESTS = "gen:req"
STREAM_SECONDS = 3600
FIRST_SEQ = 1
MOST_FRAMES = 5_000
MOST_REQUESTS = 1_000
QUIET_SECONDS = 5.0
ANSWER_SECONDS = 2.0  # a Redis that hangs holds the words of all answers up for so long


def stream_of(generation: UUID | str) -> str:
    """Return the name of an answer's stream; entry `7-0` holds the frame with seq 7."""
    return f"gen:{generation}"


@lru_cache(maxsize=4)
def client(url: str) -> redis.Redis:
    """Return the process's connection pool to the streams' database."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=0.8, socket_timeout=ANSWER_SECONDS, health_check_interval=25
    )


class _Breaker:
    """Leaves a dead Redis alone for a moment, so that it costs one time-out, not hundreds."""

    def __init__(self) -> None:
        self._until = 0.0

    def tell(self, action: Any) -> bool:
        """Do something with Redis; False when it could not be done."""
        if time.monotonic() < self._until:
            return False
        try:
            action(client(settings.OTTO_STREAMS_URL))
        except (RedisError, OSError) as error:
            self._until = time.monotonic() + QUIET_SECONDS
            delays.note_failure()
            log.warning("streams are silent: %s", error)
            return False
        return True


_breaker = _Breaker()


def wake_engine(generation: UUID, *, stop: bool = False) -> bool:
    """Tell the engine of a new or unwanted answer; it looks at the rows anyway."""
    body = {"gen": str(generation), "op": "stop" if stop else "new"}
    return _breaker.tell(
        lambda server: server.xadd(REQUESTS, body, maxlen=MOST_REQUESTS, approximate=True)
    )


def words_sent(generation: UUID) -> str:
    """Return the text that tabs may have seen of an answer; empty where its stream is gone."""
    try:
        entries = client(settings.OTTO_STREAMS_URL).xrange(stream_of(generation))
    except (RedisError, OSError):
        return ""
    frames: list[dict[str, Any]] = [json.loads(body[b"f"]) for _, body in entries]
    return "".join(frame["s"] for frame in frames if frame["t"] == "d")


def send_end(generation: UUID, figures: Mapping[str, Any]) -> bool:
    """Tell tabs the end of an answer that no engine has begun."""
    end = {"t": "end", "gen": str(generation), "seq": FIRST_SEQ, **figures}
    return send_frames(generation, {FIRST_SEQ: end})


def send_frames(generation: UUID, frames: Mapping[int, Mapping[str, Any]]) -> bool:
    """Append frames under their sequence numbers; False when they could not be sent."""
    if not frames:
        return True
    name = stream_of(generation)

    def append(server: redis.Redis) -> None:
        pipe = server.pipeline(transaction=False)
        if FIRST_SEQ in frames:  # an engine that gave the answer back may have begun its stream
            pipe.delete(name)
        for seq, frame in frames.items():
            body = {"f": json.dumps(frame, ensure_ascii=False)}
            pipe.xadd(name, body, id=f"{seq}-0", maxlen=MOST_FRAMES, approximate=True)
        pipe.expire(name, STREAM_SECONDS)
        pipe.execute()

    return _breaker.tell(append)
