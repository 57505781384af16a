"""Which rules are on, how strict they are, and what follows when they object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules.finding import Severity


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """One rule's switch, the severity of its findings, and its thresholds by name."""

    on: bool
    severity: Severity
    thresholds: Mapping[str, float] = field(default_factory=dict)


STANDARD_SETTINGS: Mapping[str, RuleSetting] = {
    "empty": RuleSetting(on=True, severity="E"),
    "too_short": RuleSetting(on=True, severity="E", thresholds={"words": 3, "letters": 4}),
    "repetitive": RuleSetting(
        on=True,
        severity="E",
        thresholds={
            "words": 4,
            "repeated_trigrams": 0.30,
            "long_words": 25,
            "repeated_5grams": 0.15,
            "repeated_6grams": 0.14,
            "repeated_7grams": 0.13,
            "repeated_8grams": 0.12,
            "repeated_9grams": 0.11,
            "repeated_10grams": 0.10,
            "lines": 2,
            "repeated_lines": 0.30,
            "times": 3,
            "passage": 0.5,
        },
    ),
    "gibberish": RuleSetting(
        on=True,
        severity="E",
        thresholds={
            "letter_share": 0.30,
            "numeric_length": 40,
            "mean_token": 25,
            "key_run_words": 3,
            "key_run_share": 0.5,
            "language": 0.3,
            "language_letters": 40,
            "replacement_share": 0.02,
        },
    ),
    "truncated": RuleSetting(on=True, severity="R", thresholds={"words": 6, "prepositions": 0}),
    "echo": RuleSetting(
        on=True,
        severity="E",
        thresholds={
            "content_words": 3,
            "new_words": 0.15,
            "piece_words": 4,
            "added_words": 3,
            "added_share": 0.25,
        },
    ),
    "structure": RuleSetting(on=True, severity="E"),
    "role_bleed": RuleSetting(on=True, severity="E"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A complete set of rule settings; equal settings have equal `sha256`."""

    settings: Mapping[str, RuleSetting] = field(default_factory=lambda: dict(STANDARD_SETTINGS))

    def __getitem__(self, rule: str) -> RuleSetting:
        return self.settings[rule]

    def changed(self, rule: str, **changes: Any) -> Policy:
        """Return a policy in which one rule differs: `on`, `severity` or single thresholds."""
        current = self.settings[_known_rule(rule)]
        body = _setting_json(current)
        body["thresholds"] |= changes.pop("thresholds", {})
        return replace(self, settings={**self.settings, rule: _setting(rule, body | changes)})

    def as_json(self) -> dict[str, dict[str, Any]]:
        """Return the body that a dataset stores; `from_json` reads it back."""
        return {rule: _setting_json(setting) for rule, setting in sorted(self.settings.items())}

    @property
    def sha256(self) -> str:
        canonical = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def from_json(body: Mapping[str, Mapping[str, Any]]) -> Policy:
    """Return the checked policy of a stored body; what it leaves out keeps its default."""
    settings = dict(STANDARD_SETTINGS)
    for rule, stored in body.items():
        name = _known_rule(rule)
        settings[name] = _setting(name, stored)
    return Policy(settings)


def standard() -> Policy:
    """Return the profile *standard*: every rule on, with the house's defaults."""
    return Policy()


def compatibility() -> Policy:
    """Return the profile *compatibility*: the six labels only, with preposition endings too."""
    six = Policy().changed("truncated", thresholds={"prepositions": 1})
    for rule in ("structure", "role_bleed"):
        six = six.changed(rule, on=False)
    return six


PROFILES = {"standard": standard, "compatibility": compatibility}


def _known_rule(rule: str) -> str:
    if rule not in STANDARD_SETTINGS:
        names = ", ".join(STANDARD_SETTINGS)
        raise CorpusError(f"There is no rule called “{rule}”. The rules are: {names}.")
    return rule


def _setting_json(setting: RuleSetting) -> dict[str, Any]:
    return {
        "on": setting.on,
        "severity": setting.severity,
        "thresholds": {name: float(value) for name, value in setting.thresholds.items()},
    }


def _setting(rule: str, stored: Mapping[str, Any]) -> RuleSetting:
    default = STANDARD_SETTINGS[rule]
    severity = stored.get("severity", default.severity)
    if severity not in get_args(Severity):
        raise CorpusError(f"“{severity}” is no severity for the rule {rule}. Use E, R or I.")
    thresholds = dict(default.thresholds)
    for name, value in stored.get("thresholds", {}).items():
        thresholds[name] = _threshold(rule, name, value)
    return RuleSetting(bool(stored.get("on", default.on)), severity, thresholds)


def _threshold(rule: str, name: str, value: Any) -> float:
    if name not in STANDARD_SETTINGS[rule].thresholds:
        raise CorpusError(f"The rule {rule} has no threshold called “{name}”.")
    number = float(value) if isinstance(value, int | float) else -1.0
    if not 0 <= number < 1_000_000:
        raise CorpusError(f"The threshold “{name}” of {rule} must be a number from 0 up.")
    return number
