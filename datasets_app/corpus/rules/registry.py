"""The quality rules, in the order in which people see them and answers meet them."""

from __future__ import annotations

from datasets_app.corpus.rules import (
    echo,
    empty,
    gibberish,
    raw_data,
    repetitive,
    role_bleed,
    structure,
    too_short,
    truncated,
)
from datasets_app.corpus.rules.rule import Rule

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        empty.RULE,
        repetitive.RULE,
        too_short.RULE,
        gibberish.RULE,
        truncated.RULE,
        echo.RULE,
        structure.RULE,
        role_bleed.RULE,
        raw_data.RULE,
    )
}


def label_of(name: str) -> str:
    """Return the word for people; findings that are stored may name a rule that is gone."""
    return RULES[name].label if name in RULES else name


def counts_against(name: str) -> bool:
    """Tell whether a row that this rule set aside is no longer valid; one that is gone is mute."""
    return name in RULES
