"""What the rules say about one conversation: verdicts, findings and the status they lead to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["E", "R", "I"]
Status = Literal["kept", "review", "excluded"]
Span = tuple[int, int]

# A person reads these words; the letters are what the database stores.
SEVERITY_WORDS: dict[Severity, str] = {
    "E": "excludes the row",
    "R": "sends the row to review",
    "I": "informs only",
}
# What a finding makes of its row, the gravest first.
SETS_ASIDE: dict[Severity, Status] = {"E": "excluded", "R": "review"}
QUALITY_COST: dict[Severity, int] = {"E": 40, "R": 15, "I": 3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why one rule objects to one turn; never graver than `at_most`, whatever the policy says."""

    value: float
    threshold: float
    note: str
    spans: tuple[Span, ...] = ()
    at_most: Severity = "E"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's verdict on one turn; spans are `[start, end)` in code points of the stored text."""

    turn: int
    rule: str
    version: int
    severity: Severity
    value: float
    threshold: float
    spans: tuple[Span, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All findings of one conversation, the status they lead to, and its quality for sorting."""

    findings: tuple[Finding, ...]
    status: Status
    quality: int


def milder_of(one: Severity, other: Severity) -> Severity:
    """Return the severity of the two that costs less."""
    return min(one, other, key=QUALITY_COST.__getitem__)


def status_of(severities: Iterable[str]) -> Status:
    """Return the status that open findings of these severities lead to."""
    present = set(severities)
    return next((SETS_ASIDE[one] for one in SETS_ASIDE if one in present), "kept")


def quality_of(severities: Iterable[Severity]) -> int:
    """Return 0 to 100, for sorting only: open findings cost 40 (E), 15 (R) or 3 (I)."""
    return max(0, 100 - sum(QUALITY_COST[severity] for severity in severities))
