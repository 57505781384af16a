"""One odd turn does not spoil a dialogue: findings seen beside the other answers."""

from __future__ import annotations

from dataclasses import replace

from datasets_app.corpus.conversation import ASSISTANT, Conversation
from datasets_app.corpus.rules.finding import SETS_ASIDE, Finding, milder_of
from datasets_app.corpus.rules.registry import RULES

FEWEST_ANSWERS, ODD_SHARE = 3, 1 / 3


def eased(findings: list[Finding], conversation: Conversation) -> list[Finding]:
    """Return the findings; those of a few odd answers among good ones no longer exclude the row.

    They stay on their turns. What the last answer ends with stays grave: nothing comes after it.
    """
    answers = [n for n, turn in enumerate(conversation.turns) if turn.role == ASSISTANT]
    if len(answers) < FEWEST_ANSWERS:
        return findings
    odd = {found.turn for found in findings if found.severity in SETS_ASIDE}.intersection(answers)
    if len(odd) > ODD_SHARE * len(answers):
        return findings
    return [
        replace(found, severity=milder_of(found.severity, RULES[found.rule].odd_turn))
        if found.turn in odd and not (found.rule == "truncated" and found.turn == answers[-1])
        else found
        for found in findings
    ]
