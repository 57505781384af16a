"""Names processes so that a later one with the same number is not taken for them."""

from __future__ import annotations

import os

import psutil

from otto_web.lib.beat import host_name
from training_app.services.attempts import Place

_SAME_START_SECONDS = 1.0


def place_of(pid: int) -> Place:
    """Return the name of a process of this host that runs now."""
    return Place(host_name(), pid, psutil.Process(pid).create_time())


def own_place() -> Place:
    return place_of(os.getpid())


def parse_place(text: str) -> Place | None:
    """Return the place that `str(place)` gave this text."""
    if text.count(":") < 2:
        return None
    host, pid, started = text.rsplit(":", 2)
    return Place(host, int(pid), float(started))


def is_alive(place: Place) -> bool:
    """Return whether this very process runs on this host; a zombie does not."""
    try:
        process = psutil.Process(place.pid)
        is_same = abs(process.create_time() - place.pid_started_at) < _SAME_START_SECONDS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
