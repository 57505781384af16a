"""Which rules are on, how strict they are, and what follows when they object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, get_args

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules.finding import Severity
from datasets_app.corpus.rules.registry import RULES
from datasets_app.corpus.rules.rule import ConversationCheck, Limits, ReplyCheck, Rule, TextCheck

Check = TypeVar("Check")
Active = tuple[tuple[Rule, Check, Limits], ...]


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """One rule's switch, the severity of its findings, and its thresholds by name."""

    on: bool
    severity: Severity
    thresholds: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checks:
    """The rules that look at each thing, ready to be called with their limits."""

    of_conversation: Active[ConversationCheck]
    of_question: Active[TextCheck]
    of_empty: Active[TextCheck]
    of_answer: Active[TextCheck]
    of_reply: Active[ReplyCheck]
    of_passage: Active[TextCheck]


def _defaults() -> dict[str, RuleSetting]:
    return {
        name: RuleSetting(
            on=rule.on,
            severity=rule.severity,
            thresholds={key: threshold.default for key, threshold in rule.thresholds.items()},
        )
        for name, rule in RULES.items()
    }


@dataclass(frozen=True)
class Policy:
    """A complete set of rule settings; equal settings have equal `sha256`."""

    settings: Mapping[str, RuleSetting] = field(default_factory=_defaults)

    def __getitem__(self, rule: str) -> RuleSetting:
        return self.settings[rule]

    @cached_property
    def checks(self) -> Checks:
        """The functions of the rules that are switched on, in the order of the registry."""
        return Checks(
            of_conversation=self._active(lambda rule: rule.of_conversation),
            of_question=self._active(lambda rule: rule.of_question),
            of_empty=self._active(lambda rule: rule.of_empty),
            of_answer=self._active(lambda rule: rule.of_answer),
            of_reply=self._active(lambda rule: rule.of_reply),
            of_passage=self._active(lambda rule: rule.of_passage),
        )

    def _active(self, check_of: Callable[[Rule], Check | None]) -> Active[Check]:
        return tuple(
            (rule, check, self[rule.name].thresholds)
            for rule in RULES.values()
            if self[rule.name].on and (check := check_of(rule)) is not None
        )

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
    settings = _defaults()
    for rule, stored in body.items():
        name = _known_rule(rule)
        settings[name] = _setting(name, stored)
    return Policy(settings)


def standard() -> Policy:
    """Return the policy of a new dataset: the house's defaults."""
    return Policy()


def _known_rule(rule: str) -> str:
    if rule not in RULES:
        names = ", ".join(RULES)
        raise CorpusError(f"There is no rule called “{rule}”. The rules are: {names}.")
    return rule


def _setting_json(setting: RuleSetting) -> dict[str, Any]:
    return {
        "on": setting.on,
        "severity": setting.severity,
        "thresholds": {name: float(value) for name, value in setting.thresholds.items()},
    }


def _setting(rule: str, stored: Mapping[str, Any]) -> RuleSetting:
    default = _defaults()[rule]
    severity = stored.get("severity", default.severity)
    if severity not in get_args(Severity):
        raise CorpusError(f"“{severity}” is no severity for the rule {rule}. Use E, R or I.")
    thresholds = dict(default.thresholds)
    for name, value in stored.get("thresholds", {}).items():
        thresholds[name] = _threshold(rule, name, value)
    return RuleSetting(bool(stored.get("on", default.on)), severity, thresholds)


def _threshold(rule: str, name: str, value: Any) -> float:
    bounds = RULES[rule].thresholds.get(name)
    if bounds is None:
        raise CorpusError(f"The rule {rule} has no threshold called “{name}”.")
    if not isinstance(value, int | float) or not bounds.least <= value <= bounds.most:
        span = f"from {bounds.least:,} to {bounds.most:,}"
        raise CorpusError(f"The threshold “{name}” of {rule} must be a number {span}.")
    return float(value)
