"""Turns that do not make a conversation, and roles that leak into an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from datasets_app.corpus.conversation import ASSISTANT, ROLES, SYSTEM, USER, Conversation
from datasets_app.corpus.rules.finding import Severity, Verdict
from datasets_app.corpus.rules.numbers import Numbers

_ROLE_MARK = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|### (?:Instruction|Response|Input)\b|\[/?INST\]|"
    r"^[ \t]*(?:\*\*)?(?:user|assistant|human|system)(?:\*\*)?[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


def structure(conversation: Conversation) -> Iterator[tuple[int, Verdict]]:
    """Yield at most one objection per turn to the order and the roles of the turns."""
    turns = conversation.turns
    if conversation.is_passage:
        return
    if not any(turn.role == ASSISTANT for turn in turns):
        yield 0, _verdict("nobody answers in it", "E")
        return
    before = ""
    for position, turn in enumerate(turns):
        verdict = _turn_verdict(turn.role, turn.text, before)
        if verdict is None and position == len(turns) - 1 and turn.role == USER:
            verdict = _verdict("it ends with the user, and nobody answers", "R")
        if verdict is not None:
            yield position, verdict
        before = turn.role


def _turn_verdict(role: str, text: str, before: str) -> Verdict | None:
    if role not in ROLES:
        return _verdict(f"“{role[:40]}” is no role; use user, assistant or system", "E")
    if role != ASSISTANT and not text.strip():  # an empty answer has a rule of its own
        return _verdict("this turn is empty", "E")
    if role == before and role != SYSTEM:
        return _verdict(f"two turns of {role} follow each other", "R")
    return None


def role_bleed(answer: Numbers) -> Verdict | None:
    """Object to marks of another speaker inside an answer, outside of code fences."""
    text = answer.text
    if ":" not in text and "<|" not in text and "[" not in text and "###" not in text:
        return None
    if _ROLE_MARK.search(text) is None:
        return None
    prose = _FENCED.sub(lambda fence: " " * len(fence.group()), text)
    marks = islice(_ROLE_MARK.finditer(prose), 100)
    spans = tuple((answer.place(mark.start()), answer.place(mark.end())) for mark in marks)
    if not spans:
        return None
    return Verdict(len(spans), 0, "another speaker's mark stands inside the answer", spans)


def _verdict(note: str, severity: Severity) -> Verdict:
    return Verdict(1, 0, note, (), severity)
