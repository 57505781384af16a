"""What the reaper cleans up for this app."""

from __future__ import annotations

from datetime import datetime

from chat_app.services import generations


def end_left_answers(now: datetime) -> None:
    """Mark answers whose engine is gone, and end queued ones that nobody wants."""
    generations.interrupt_expired()
    generations.settle_stopped_in_queue()


SWEEPS = (end_left_answers,)
