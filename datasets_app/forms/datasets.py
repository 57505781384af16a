"""What people may type about datasets, versions and rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.finding import SEVERITY_WORDS
from datasets_app.corpus.rules.registry import RULES
from datasets_app.models import Choice, Dataset, Decision


class DatasetForm(forms.Form):
    name = forms.CharField(max_length=180, strip=True)


class FreezeForm(forms.Form):
    name = forms.CharField(
        max_length=180, required=False, help_text="Left empty it is the dataset's name and number."
    )
    choice = forms.ChoiceField(
        choices=Choice.choices,
        initial=Choice.KEPT,
        widget=forms.RadioSelect,
        label="Which rows go in",
    )


class DecisionForm(forms.Form):
    """A decision about the selected rows, or about all rows that match the filter."""

    decision = forms.ChoiceField(choices=Decision.choices)
    scope = forms.ChoiceField(choices=[("selected", "selected"), ("matching", "matching")])
    previewed = forms.IntegerField(min_value=0, required=False)

    def decided(self) -> Decision:
        return Decision(self.cleaned_data["decision"])


class RuleForm(forms.Form):
    """One rule's switch, severity and thresholds."""

    on = forms.BooleanField(required=False, label="switched on")
    severity = forms.ChoiceField(
        choices=[(letter, words) for letter, words in SEVERITY_WORDS.items() if letter != "P"],
        label="then it",
    )

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


def selected_rows(values: list[str]) -> list[int]:
    """Return the ids of checked boxes; what is no id is left out."""
    return [int(value) for value in values if value.isdecimal() and len(value) < 19]


def reviewed_rows(values: list[str]) -> list[tuple[int, Decision]]:
    """Return the decisions of a review in their order; each value is like `keep:1234567`."""
    found = []
    for value in values:
        word, _, number = value.partition(":")
        if word in Decision.values and selected_rows([number]):
            found.append((int(number), Decision(word)))
    return found
