"""Turns that do not make a conversation."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.conversation import ASSISTANT, ROLES, SYSTEM, USER, Conversation
from datasets_app.corpus.rules.finding import Severity, Verdict
from datasets_app.corpus.rules.rule import Limits, Rule


def structure(conversation: Conversation, _: Limits) -> Iterator[tuple[int, Verdict]]:
    """Yield at most one objection per turn to the order and the roles of the turns."""
    turns = conversation.turns
    if conversation.is_passage:
        return
    if ASSISTANT not in [turn.role for turn in turns if turn.is_learnt]:
        yield 0, _verdict("nobody answers in it")
        return
    before = ""
    for position, turn in enumerate(turns):
        verdict = _turn_verdict(turn.role, turn.text, before)
        if verdict is None and position == len(turns) - 1 and turn.role == USER:
            verdict = _verdict("it ends with the user; versions leave this turn out", at_most="I")
        if verdict is not None:
            yield position, verdict
        before = turn.role


def _turn_verdict(role: str, text: str, before: str) -> Verdict | None:
    if role not in ROLES:
        return _verdict(f"“{role[:40]}” is no role; use user, assistant or system")
    if role != ASSISTANT and not text.strip():  # an empty answer has a rule of its own
        return _verdict("this turn is empty")
    if role == before and role != SYSTEM:
        said_on = role == ASSISTANT  # "One moment." – "I have found it." is how people write
        words = f"two turns of {role} follow each other"
        return _verdict(words, at_most="I" if said_on else "R")
    return None


def _verdict(note: str, at_most: Severity = "E") -> Verdict:
    return Verdict(1, 0, note, (), at_most)


RULE = Rule(
    name="structure",
    label="structure",
    sentence="The turns make no conversation: nobody answers, a turn is empty, or a role is "
    "unknown. A row in which the user speaks twice is at most sent to review; a last word of the "
    "user is left out of versions and excludes nothing.",
    good=("Can I return this?", "Yes, within thirty days of the purchase."),
    bad=("Can I return this?", ""),
    severity="E",
    version=2,
    odd_turn="E",
    of_conversation=structure,
)
