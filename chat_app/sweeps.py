"""What the reaper cleans up for this app."""

from __future__ import annotations

from datetime import datetime

from chat_app.services import exchanges, generations


def end_left_answers(now: datetime) -> None:
    """Mark answers whose engine is gone, and end queued ones that nobody wants."""
    generations.interrupt_expired()
    generations.settle_stopped_in_queue()


def forget_exchanges(now: datetime) -> None:
    """Take the words out of what programs asked an hour ago, all that no log keeps."""
    exchanges.forget_words(now)


SWEEPS = (end_left_answers, forget_exchanges)
