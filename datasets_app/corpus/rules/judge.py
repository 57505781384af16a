"""All rules on one conversation in one pass."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, Conversation, Turn
from datasets_app.corpus.rules.echo import echo
from datasets_app.corpus.rules.finding import Finding, Judgement, Verdict, quality_of, status_of
from datasets_app.corpus.rules.gibberish import gibberish
from datasets_app.corpus.rules.numbers import Numbers, measure
from datasets_app.corpus.rules.policy import Policy
from datasets_app.corpus.rules.repeats import repetitive, repetitive_passage
from datasets_app.corpus.rules.short import empty, too_short, truncated
from datasets_app.corpus.rules.structure import role_bleed, structure

LABELS: dict[str, str] = {
    "empty": "empty",
    "repetitive": "repetitive",
    "too_short": "too short",
    "gibberish": "gibberish",
    "truncated": "incomplete",
    "echo": "echo",
}
VERSIONS: dict[str, int] = dict.fromkeys((*LABELS, "structure", "role_bleed"), 1)

Named = tuple[str, Verdict | None]


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
    severities = [finding.severity for finding in findings]
    return Judgement(tuple(findings), status_of(severities), quality_of(severities))


def _objections(
    conversation: Conversation, policy: Policy
) -> Iterator[tuple[int, str, Verdict | None]]:
    if policy["structure"].on:
        for position, verdict in structure(conversation):
            yield position, "structure", verdict
    question = None
    for position, turn in enumerate(conversation.turns):
        if turn.role == USER:
            question = turn.text
        for rule, objection in _turn_verdicts(turn, question, policy):
            yield position, rule, objection


def _turn_verdicts(turn: Turn, question: str | None, policy: Policy) -> Iterator[Named]:
    if turn.role == ASSISTANT:
        return _answer_verdicts(turn.text, question, policy)
    return _passage_verdicts(turn.text, policy) if turn.role == PASSAGE else iter(())


def _answer_verdicts(text: str, question: str | None, policy: Policy) -> Iterator[Named]:
    """Yield the verdict of each rule on one answer; an empty one has no other faults."""
    answer = measure(text)
    nothing = empty(answer)
    if nothing is not None:
        if policy["empty"].on:
            yield "empty", nothing
        return
    if (setting := policy["repetitive"]).on:
        yield "repetitive", repetitive(answer, setting.thresholds)
    if (setting := policy["gibberish"]).on:
        yield "gibberish", gibberish(answer, setting.thresholds)
    if (setting := policy["truncated"]).on:
        yield "truncated", truncated(answer, setting.thresholds)
    if policy["role_bleed"].on:
        yield "role_bleed", role_bleed(answer)
    if question is not None:
        yield from _question_verdicts(answer, question, policy)


def _passage_verdicts(text: str, policy: Policy) -> Iterator[Named]:
    """Yield the verdicts on a piece of a document: it answers nothing, and was cut by us."""
    passage = measure(text)
    nothing = empty(passage)
    if nothing is not None:
        if policy["empty"].on:
            yield "empty", nothing
        return
    if (setting := policy["repetitive"]).on:
        yield "repetitive", repetitive_passage(passage, setting.thresholds)
    if (setting := policy["gibberish"]).on:
        yield "gibberish", gibberish(passage, setting.thresholds)


def _question_verdicts(answer: Numbers, question: str, policy: Policy) -> Iterator[Named]:
    if (setting := policy["too_short"]).on:
        yield "too_short", too_short(answer, setting.thresholds, question)
    if (setting := policy["echo"]).on:
        yield "echo", echo(answer, measure(question), setting.thresholds, question)


def _finding(turn: int, rule: str, verdict: Verdict, policy: Policy) -> Finding:
    return Finding(
        turn=turn,
        rule=rule,
        version=VERSIONS[rule],
        severity=verdict.severity or policy[rule].severity,
        value=float(verdict.value),
        threshold=float(verdict.threshold),
        spans=verdict.spans,
        note=verdict.note,
    )
