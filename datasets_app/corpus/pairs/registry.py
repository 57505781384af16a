"""The patterns of the built-in generator, in the order in which they are tried."""

from __future__ import annotations

from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.patterns import (
    amounts,
    conditions,
    definitions,
    doings,
    existing,
    headings,
    lists,
    moments,
    people,
    permissions,
    places,
    subjects,
    ways,
)

PATTERNS: dict[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        existing.PATTERN,
        amounts.PATTERN,
        moments.PATTERN,
        people.PATTERN,
        places.PATTERN,
        ways.PATTERN,
        conditions.PATTERN,
        definitions.PATTERN,
        lists.PATTERN,
        doings.PATTERN,
        headings.PATTERN,
        permissions.PATTERN,
        subjects.PATTERN,
    )
}


def label_of(name: str) -> str:
    """Return the words for people; pairs that are stored may name a pattern that is gone."""
    return PATTERNS[name].label if name in PATTERNS else name
