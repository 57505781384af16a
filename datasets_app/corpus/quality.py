"""The quality score of a set of rows: how much of it is valid, in words, with advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasets_app.corpus.conversation import USER, Conversation
from datasets_app.corpus.rules.finding import QUALITY_COST, SETS_ASIDE, Finding
from datasets_app.corpus.rules.registry import RULES, counts_against, label_of
from datasets_app.corpus.rules.rule import Rule
from datasets_app.corpus.split import exact_key

GOOD_FROM, WARNING_FROM = 0.7, 0.5
FEWEST_ROWS = 2  # of a version: one to learn from and one to test with
MOST_EXAMPLES, EXAMPLE_LENGTH = 5, 100
EMPTY_MESSAGE = "There are no conversations here yet, so there is nothing to measure."


@dataclass(frozen=True, slots=True)
class Band:
    """One of the three verdicts on a quality score."""

    name: str
    words: str


GOOD = Band("good", "Good: this data is ready for training.")
WARNING = Band("warning", "Warning: training works better after a look at the flagged rows.")
CRITICAL = Band("critical", "Critical: most rows are not fit for training yet.")


@dataclass(frozen=True, slots=True)
class QualityCounts:
    """Counts over a set of rows: `rows_by_rule` counts rows with an open E or R finding.

    `trained` are the rows that a run would see; None where all of them are in a version.
    `copies` counts the rows beyond the first that say the same. A copy is valid, so it stands in
    the score, but it teaches nothing new.
    """

    total: int
    valid: int
    rows_by_rule: Mapping[str, int]
    copies: int = 0
    trained: int | None = None

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


def verdict(counts: QualityCounts) -> Band:
    """Return the band of the score; too many copies make a good one a warning.

    Rows of which nothing would be trained are critical, whatever their score.
    """
    if counts.total and counts.trained is not None and counts.trained < FEWEST_ROWS:
        return replace(CRITICAL, words=f"Critical: {_too_few_words(counts)}")
    band = band_of(counts.quality_score)
    if band is GOOD and counts.valid - counts.copies < GOOD_FROM * counts.total:
        words = f"{counts.copies:,} of {counts.total:,} rows are copies of others"
        return replace(WARNING, words=f"Warning: {words}; a model learns them by heart.")
    return band


def _too_few_words(counts: QualityCounts) -> str:
    words = f"{counts.trained} of {counts.total:,} rows can be trained, and a version needs two."
    if not counts.rows_by_rule:
        return words
    rule, rows = max(counts.rows_by_rule.items(), key=lambda found: found[1])
    return f"{words} Most are set aside by “{label_of(rule)}” ({rows:,})."


def counting_rules(findings: Iterable[Finding]) -> set[str]:
    """Return the rules that make a row invalid: an open E or R of a rule that there is."""
    return {
        finding.rule
        for finding in findings
        if finding.severity in SETS_ASIDE and counts_against(finding.rule)
    }


def tally(rows: Iterable[Iterable[Finding]]) -> QualityCounts:
    """Return the counts over the open findings of each row."""
    total = valid = 0
    by_rule: Counter[str] = Counter()
    for findings in rows:
        broken = counting_rules(findings)
        total += 1
        valid += not broken
        by_rule.update(broken)
    return QualityCounts(total, valid, dict(by_rule))


def advice(counts: QualityCounts) -> list[Advice]:
    """Return what to do about these rows, most important first; empty when all is well."""
    if not counts.total:
        return [Advice("", 0, EMPTY_MESSAGE)]
    found = [_overall_advice(counts)]
    worst_first = sorted(RULES.values(), key=lambda rule: -QUALITY_COST[rule.severity])
    found += [_rule_advice(rule, counts) for rule in worst_first]
    if counts.copies == 1:
        found.append(Advice("copies", 1, "1 row is a copy of an earlier one. Exclude it."))
    elif counts.copies:
        words = f"{counts.copies} rows are copies of earlier ones. Look at them and exclude them."
        found.append(Advice("copies", counts.copies, words))
    return [item for item in found if item is not None]


def _rule_advice(rule: Rule, counts: QualityCounts) -> Advice | None:
    count = counts.rows_by_rule.get(rule.name, 0)
    said = rule.recommendation
    if said is None or count <= said.above * counts.total:
        return None
    return Advice(rule.name, count, said.one if count == 1 else said.many.format(count=count))


def _overall_advice(counts: QualityCounts) -> Advice | None:
    invalid = counts.total - counts.valid
    if counts.quality_score >= GOOD_FROM:
        return None
    if counts.quality_score >= WARNING_FROM:
        sentence = "{} of {} rows have a fault. Look through them before you train."
    else:
        sentence = "{} of {} rows have a fault. Exclude them first; training can wait."
    return Advice("", invalid, sentence.format(invalid, counts.total))


def report(rows: Iterable[tuple[Conversation, Iterable[Finding]]]) -> dict[str, Any]:
    """Return the report whose literal names other programs read."""
    examples: list[dict[str, Any]] = []
    judged: list[list[Finding]] = []
    copies, known = 0, set()
    for index, (conversation, found) in enumerate(rows):
        findings = list(found)
        judged.append(findings)
        if not counting_rules(findings):
            key = exact_key(conversation)
            copies += key in known
            known.add(key)
        if len(examples) < MOST_EXAMPLES and counting_rules(findings):
            examples.append(_example(index, conversation, findings))
    counts = replace(tally(judged), copies=copies)
    issues: dict[str, Any] = {
        rule.earlier: counts.rows_by_rule.get(name, 0)
        for name, rule in RULES.items()
        if rule.earlier is not None
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
        "issues": [label_of(rule) for rule in RULES if rule in rules],
    }
