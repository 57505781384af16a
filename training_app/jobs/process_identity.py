"""Names processes so that a later one with the same number is not taken for them."""

from __future__ import annotations

import os

import psutil

from otto_web.lib.beat import host_name
from training_app.services.attempts import ProcessIdentity

_SAME_START_SECONDS = 1.0


def identity_of(pid: int) -> ProcessIdentity:
    """Return the name of a process of this host that runs now."""
    return ProcessIdentity(host_name(), pid, psutil.Process(pid).create_time())


def own_identity() -> ProcessIdentity:
    return identity_of(os.getpid())


def parse_identity(text: str) -> ProcessIdentity | None:
    """Return the place that `str(process)` gave this text."""
    if text.count(":") < 2:
        return None
    host, pid, started = text.rsplit(":", 2)
    return ProcessIdentity(host, int(pid), float(started))


def is_alive(process: ProcessIdentity) -> bool:
    """Return whether this very process runs on this host; a zombie does not."""
    try:
        found = psutil.Process(process.pid)
        is_same = abs(found.create_time() - process.pid_started_at) < _SAME_START_SECONDS
        return is_same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
