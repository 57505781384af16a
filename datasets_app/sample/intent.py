"""What customers want, and how both sides may put it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intent:
    """One concern: `[a|b]` is a choice of words, `{slot}` a fact of the conversation.

    `more` holds questions that may follow, each with its answers.
    """

    name: str
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    more: tuple[tuple[str, str], ...] = ()
