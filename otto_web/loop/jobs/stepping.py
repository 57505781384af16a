"""What the steps of a pipeline share: waiting, keys that outlive a crash, what must be there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid5

from chat_app.serving.errors import ServingError
from otto_web.loop.models import Pipeline

Found = TypeVar("Found")
TURN_SECONDS = 5.0


class Wait(Exception):  # noqa: N818 - not an error: somebody else is at work
    """The step goes on elsewhere; come back later."""


def in_turn() -> Callable[[float], None]:
    """Return how to wait for a file that others read, or have no room for yet: not for long.

    This worker may be the only one that is left for small files.
    """
    late = time.monotonic() + TURN_SECONDS

    def wait(seconds: float) -> None:
        if time.monotonic() >= late:
            raise Wait("waits until another worker has read the files, or has room for them")
        time.sleep(seconds)

    return wait


def key_of(pipeline: Pipeline, what: str) -> str:
    """Return the key by which a crash finds what it made before; a person's next try makes anew."""
    return str(uuid5(pipeline.pk, f"{what} {pipeline.options.get('tries', 0)}"))


def needed(value: Found | None) -> Found:
    """Return what an earlier step left; its row was deleted meanwhile when it is not there."""
    if value is None:
        raise ServingError("Something that an earlier step made was deleted. Start again.")
    return value
