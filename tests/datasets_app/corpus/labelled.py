"""Conversations that a person labelled, and how often the rules agree.

`labelled_rows.jsonl` was written by hand, row by row, for this purpose: by kind (good, bad, tricky)
and before the rules were fitted to it. `wrong` names the rules that must set the row aside, `may`
those that may do so too. Rules were not fitted to the rows that are `unseen`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.rules.finding import SETS_ASIDE
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.rules.registry import RULES

FILE = Path(__file__).with_name("labelled_rows.jsonl")


@dataclass
class Agreement:
    """How often something was set aside rightly, wrongly, or not although it should be."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


@dataclass
class Measured:
    """The agreement per rule, and per language whichever the rule."""

    rules: dict[str, Agreement] = field(
        default_factory=lambda: {rule: Agreement() for rule in RULES}
    )
    languages: dict[str, Agreement] = field(default_factory=dict)


def labelled(*, unseen: bool) -> list[dict[str, Any]]:
    """Return the rows on which rules were fitted, or those that were kept out."""
    rows = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
    return [row for row in rows if row.get("unseen", False) == unseen]


def conversation_of(row: dict[str, Any]) -> Conversation:
    return Conversation(tuple(Turn(role, text) for role, text in row["turns"]))


def set_aside_by(row: dict[str, Any]) -> set[str]:
    """Return the rules that exclude the row or send it to review."""
    findings = judge(conversation_of(row), standard()).findings
    return {found.rule for found in findings if found.severity in SETS_ASIDE}


def measured(*, unseen: bool) -> Measured:
    """Judge the rows and compare."""
    found = Measured()
    for row in labelled(unseen=unseen):
        wrong, objecting = set(row.get("wrong", ())), set_aside_by(row)
        for rule in objecting:
            is_right = rule in wrong or rule in row.get("may", ())
            found.rules[rule].right += is_right
            found.rules[rule].false += not is_right
        for rule in wrong - objecting:
            found.rules[rule].missed += 1
        language = found.languages.setdefault(row["language"], Agreement())
        is_bad = row["kind"] == "bad" or bool(row.get("may"))
        language.right += bool(objecting and is_bad)
        language.false += bool(objecting and not is_bad)
        language.missed += bool(row["kind"] == "bad" and not objecting)
    return found


def table(found: Measured) -> list[str]:
    """Return the lines of a table for people."""
    lines = []
    for title, group in (("rule", found.rules), ("language", found.languages)):
        lines.append(f"{title:12} precision  recall  right  false  missed")
        lines += [
            f"{name:12} {one.precision:9.2f} {one.recall:7.2f} "
            f"{one.right:6} {one.false:6} {one.missed:7}"
            for name, one in group.items()
        ]
    return lines


def kinds(rows: list[dict[str, Any]]) -> Counter[str]:
    """Return how many rows are good, bad and tricky."""
    return Counter(row["kind"] for row in rows)
