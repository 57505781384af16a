"""All rules on one conversation in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, Conversation
from datasets_app.corpus.rules.finding import Finding, Judgement, Verdict, quality_of, status_of
from datasets_app.corpus.rules.policy import Policy

LABELS: dict[str, str] = {
    "empty": "empty",
    "repetitive": "repetitive",
    "too_short": "too short",
    "gibberish": "gibberish",
    "truncated": "incomplete",
    "echo": "echo",
}


def judge(conversation: Conversation, policy: Policy) -> Judgement:
    """Return every finding of the policy's rules, with the status and quality they lead to."""
    raise NotImplementedError
