"""One process at a time writes to a folder: the lock goes with the process, however it ends."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


def hold(folder: Path) -> IO[bytes] | None:
    """Return what holds the folder until it is closed; None while another process has it.

    A process that was stopped still has it, and may write once it goes on.
    """
    lock = lock_path(folder).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def lock_path(folder: Path) -> Path:
    """Return the file beside the folder that is locked."""
    return folder.with_name(f"{folder.name}.lock")
