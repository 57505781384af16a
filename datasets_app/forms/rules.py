"""The rules of a dataset as a form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.finding import SEVERITY_WORDS
from datasets_app.corpus.rules.registry import RULES
from datasets_app.models import Dataset


class RuleForm(forms.Form):
    """One rule's switch, severity and thresholds."""

    on = forms.BooleanField(required=False, label="switched on")
    severity = forms.ChoiceField(choices=[*SEVERITY_WORDS.items()], label="then it")

    def __init__(self, name: str, setting: policy.RuleSetting, data: Any = None) -> None:
        start = {"on": setting.on, "severity": setting.severity, **setting.thresholds}
        super().__init__(data=data, prefix=name, initial=start)
        self.rule = RULES[name]
        for key, threshold in self.rule.thresholds.items():
            self.fields[key] = forms.FloatField(
                min_value=threshold.least, max_value=threshold.most, label=key.replace("_", " ")
            )

    @property
    def thresholds(self) -> list[Any]:
        """The bound fields of the thresholds, in the policy's order."""
        return [self[name] for name in self.fields if name not in {"on", "severity"}]

    def changes(self) -> dict[str, Any]:
        found = dict(self.cleaned_data)
        on, severity = found.pop("on"), found.pop("severity")
        return {"on": on, "severity": severity, "thresholds": found}


class RulesForm:
    """The forms of all rules, as one."""

    def __init__(self, dataset: Dataset, data: Any = None) -> None:
        self.rules = policy.from_json(dataset.policy)
        settings = self.rules.settings.items()
        self.forms = [RuleForm(name, setting, data=data) for name, setting in settings]

    def __iter__(self) -> Iterator[RuleForm]:
        return iter(self.forms)

    def is_valid(self) -> bool:
        checked = [form.is_valid() for form in self.forms]  # all of them, so that all show errors
        return all(checked)

    def policy(self) -> policy.Policy:
        """Return the rules as the person wants them; the forms are valid."""
        wanted = self.rules
        for form in self.forms:
            wanted = wanted.changed(form.rule.name, **form.changes())
        return wanted
