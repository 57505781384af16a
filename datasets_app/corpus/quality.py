"""The quality score of a set of rows: how much of it is valid, in words, with advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.conversation import USER, Conversation
from datasets_app.corpus.rules.finding import Finding
from datasets_app.corpus.rules.judge import LABELS

GOOD_FROM, WARNING_FROM = 0.7, 0.5
MOST_EXAMPLES, EXAMPLE_LENGTH = 5, 100
EMPTY_MESSAGE = "There are no conversations here yet, so there is nothing to measure."

# The literal names of the report; other programs read them.
ISSUE_KEYS: dict[str, str] = {
    "empty": "empty_outputs",
    "repetitive": "repetitive_outputs",
    "too_short": "short_outputs",
    "gibberish": "gibberish_outputs",
    "echo": "echo_outputs",
    "truncated": "incomplete_outputs",
}


@dataclass(frozen=True, slots=True)
class Band:
    """One of the three verdicts on a quality score."""

    name: str
    words: str


GOOD = Band("good", "Good: this data is ready for training.")
WARNING = Band("warning", "Warning: training works better after a look at the flagged rows.")
CRITICAL = Band("critical", "Critical: most rows are not fit for training yet.")


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over a set of rows: `rows_by_rule` counts rows with an open E or R finding."""

    total: int
    valid: int
    rows_by_rule: Mapping[str, int]

    @property
    def quality_score(self) -> float:
        return self.valid / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for a person; `rule` names the rows it speaks of, or is empty for all rows."""

    rule: str
    count: int
    sentence: str


def band_of(quality_score: float) -> Band:
    """Return good from 0.7, warning from 0.5, critical below."""
    if quality_score >= GOOD_FROM:
        return GOOD
    return WARNING if quality_score >= WARNING_FROM else CRITICAL


def counting_rules(findings: Iterable[Finding]) -> set[str]:
    """Return the rules that make a row invalid: an open E or R with one of the six labels."""
    return {
        finding.rule
        for finding in findings
        if finding.severity in {"E", "R"} and finding.rule in LABELS
    }


def tally(rows: Iterable[Iterable[Finding]]) -> Tally:
    """Return the counts over the open findings of each row."""
    total = valid = 0
    by_rule: Counter[str] = Counter()
    for findings in rows:
        broken = counting_rules(findings)
        total += 1
        valid += not broken
        by_rule.update(broken)
    return Tally(total, valid, dict(by_rule))


def advice(counts: Tally) -> list[Advice]:
    """Return what to do about these rows, most important first; empty when all is well."""
    if not counts.total:
        return [Advice("", 0, EMPTY_MESSAGE)]
    found = [_overall_advice(counts)]
    for rule, (share, one, many) in _RULE_ADVICE.items():
        count = counts.rows_by_rule.get(rule, 0)
        if count > share * counts.total:
            found.append(Advice(rule, count, one if count == 1 else many.format(count=count)))
    return [item for item in found if item is not None]


# Above which share of the rows a rule is worth a sentence, and the sentence for one and for many.
_RULE_ADVICE: dict[str, tuple[float, str, str]] = {
    "empty": (
        0.0,
        "1 answer is empty. Write one or exclude the row.",
        "{count} answers are empty. Write them or exclude the rows.",
    ),
    "repetitive": (
        0.2,
        "1 answer repeats itself. Shorten it or exclude the row.",
        "{count} answers repeat themselves. Shorten them or exclude the rows.",
    ),
    "gibberish": (
        0.1,
        "1 answer is no readable text. Check how its file was read, or exclude the row.",
        "{count} answers are no readable text. Check how their files were read, or exclude them.",
    ),
    "echo": (
        0.1,
        "1 answer repeats the question. Write a real answer or exclude the row.",
        "{count} answers repeat the question. Write real answers or exclude the rows.",
    ),
    "truncated": (
        0.1,
        "1 answer stops in the middle. Complete it or exclude the row.",
        "{count} answers stop in the middle. Complete them or exclude the rows.",
    ),
}


def _overall_advice(counts: Tally) -> Advice | None:
    invalid = counts.total - counts.valid
    if counts.quality_score >= GOOD_FROM:
        return None
    if counts.quality_score >= WARNING_FROM:
        sentence = "{} of {} rows have a fault. Look through them before you train."
    else:
        sentence = "{} of {} rows have a fault. Filter or repair them first; training can wait."
    return Advice("", invalid, sentence.format(invalid, counts.total))


def report(rows: Iterable[tuple[Conversation, Iterable[Finding]]]) -> dict[str, Any]:
    """Return the report whose literal names other programs read."""
    examples: list[dict[str, Any]] = []
    judged: list[list[Finding]] = []
    for index, (conversation, found) in enumerate(rows):
        findings = list(found)
        judged.append(findings)
        if len(examples) < MOST_EXAMPLES and counting_rules(findings):
            examples.append(_example(index, conversation, findings))
    counts = tally(judged)
    issues: dict[str, Any] = {
        key: counts.rows_by_rule.get(rule, 0) for rule, key in ISSUE_KEYS.items()
    }
    return {
        "total_conversations": counts.total,
        "valid_conversations": counts.valid,
        "invalid_conversations": counts.total - counts.valid,
        "quality_score": counts.quality_score,
        "issue_summary": issues,
        "problematic_examples": examples,
        "recommendations": [item.sentence for item in advice(counts)],
    }


def _example(index: int, conversation: Conversation, findings: list[Finding]) -> dict[str, Any]:
    rules = counting_rules(findings)
    position = min(finding.turn for finding in findings if finding.rule in rules)
    turns = conversation.turns
    asked = [turn.text for turn in turns[:position] if turn.role == USER]
    return {
        "index": index,
        "input": asked[-1][:EXAMPLE_LENGTH] if asked else "",
        "output": turns[position].text[:EXAMPLE_LENGTH],
        "issues": [LABELS[rule] for rule in LABELS if rule in rules],
    }
