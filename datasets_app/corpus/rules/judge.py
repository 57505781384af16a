"""All rules on one conversation in one pass."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, Conversation, Turn
from datasets_app.corpus.rules.dialogue import eased
from datasets_app.corpus.rules.finding import (
    Finding,
    Judgement,
    Verdict,
    milder_of,
    quality_of,
    status_of,
)
from datasets_app.corpus.rules.numbers import Numbers, measure
from datasets_app.corpus.rules.policy import Checks, Policy
from datasets_app.corpus.rules.rule import Rule

Said = tuple[Rule, Verdict | None]

_JUDGED = frozenset({ASSISTANT, PASSAGE})
_CLEAN = Judgement((), "kept", 100)


def judge(conversation: Conversation, policy: Policy) -> Judgement:
    """Return every finding of the policy's rules, with the status and quality they lead to."""
    findings = [
        _finding(position, rule, verdict, policy)
        for position, rule, verdict in _objections(conversation, policy)
        if verdict is not None
    ]
    if not findings:
        return _CLEAN
    findings = eased(findings, conversation)
    severities = [finding.severity for finding in findings]
    return Judgement(tuple(findings), status_of(severities), quality_of(severities))


def _objections(
    conversation: Conversation, policy: Policy
) -> Iterator[tuple[int, Rule, Verdict | None]]:
    checks = policy.checks
    for rule, look, limits in checks.of_conversation:
        for position, verdict in look(conversation, limits):
            yield position, rule, verdict
    question = None
    for position, turn in enumerate(conversation.turns):
        if turn.role == USER:
            question = measure(turn.text)
            for rule, check, limits in checks.of_question:
                yield position, rule, check(question, limits)
        elif turn.role in _JUDGED and turn.is_learnt:
            for rule, said in _about_turn(turn, question, checks):
                yield position, rule, said


def _about_turn(turn: Turn, question: Numbers | None, checks: Checks) -> list[Said]:
    """Return what each rule says about an answer or passage; an empty one has no other faults."""
    text = measure(turn.text)
    if text.is_empty:
        return [(rule, check(text, limits)) for rule, check, limits in checks.of_empty]
    if turn.role == PASSAGE:
        return [(rule, check(text, limits)) for rule, check, limits in checks.of_passage]
    said = [(rule, check(text, limits)) for rule, check, limits in checks.of_answer]
    if question is not None:
        said += [(rule, check(text, question, limits)) for rule, check, limits in checks.of_reply]
    return said


def _finding(turn: int, rule: Rule, verdict: Verdict, policy: Policy) -> Finding:
    return Finding(
        turn=turn,
        rule=rule.name,
        version=rule.version,
        severity=milder_of(verdict.at_most, policy[rule.name].severity),
        value=float(verdict.value),
        threshold=float(verdict.threshold),
        spans=verdict.spans,
        note=verdict.note,
    )
