"""Remembers, per process, that Redis did not answer lately: pages say what is delayed then."""

from __future__ import annotations

import time

REMEMBERED_SECONDS = 60.0
_failed_at = float("-inf")


def note_failure() -> None:
    """Remember that a notification or a hint could not be sent."""
    global _failed_at  # noqa: PLW0603 - one memory per process
    _failed_at = time.monotonic()


def note_success() -> None:
    """Forget earlier failures: Redis answers again."""
    global _failed_at  # noqa: PLW0603 - one memory per process
    _failed_at = float("-inf")


def is_delayed() -> bool:
    """Say whether something could not be sent in the last minute."""
    return time.monotonic() - _failed_at < REMEMBERED_SECONDS
