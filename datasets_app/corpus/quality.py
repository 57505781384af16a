"""The quality score of a set of rows: how much of it is valid, in words, with advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation
from datasets_app.corpus.rules.finding import Finding
from datasets_app.corpus.rules.judge import LABELS

GOOD_FROM, WARNING_FROM = 0.7, 0.5
FEWEST_CONVERSATIONS, BETTER_CONVERSATIONS = 20, 50
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
    raise NotImplementedError


def report(rows: Iterable[tuple[Conversation, Iterable[Finding]]]) -> dict[str, Any]:
    """Return the report whose literal names other programs read."""
    raise NotImplementedError
