"""How a trainer says how it ended: its exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Codes of `execute_run`; whatever is not here is a crash."""

    DONE = 0
    CONFIGURATION = 64
    DATA = 65
    CRASH = 70
    FENCE_LOST = 75
    CANCELLED = 76
    DRAINED = 77
    DIVERGED = 78
    MEMORY = 79
    DISK = 80  # checkpoints could not be written, though there is room
    TIMED_OUT = 81
    NO_ROOM = 82  # the disk is full or read-only now; tried again when it may take files
