"""What people decide about rows."""

from __future__ import annotations

from django import forms

from datasets_app.models import Decision

TAG, UNTAG = "tag", "untag"


class DecisionForm(forms.Form):
    """A decision or a tag for the selected rows, or for all rows that match the filter."""

    decision = forms.ChoiceField(choices=[*Decision.choices, (TAG, TAG), (UNTAG, UNTAG)])
    tag = forms.CharField(required=False, max_length=200)
    scope = forms.ChoiceField(choices=[("selected", "selected"), ("matching", "matching")])
    previewed = forms.IntegerField(min_value=0, required=False)

    @property
    def is_tag(self) -> bool:
        return self.cleaned_data["decision"] in {TAG, UNTAG}

    @property
    def is_unseen(self) -> bool:
        """Whether it is about all that match, and nobody was shown how many these are."""
        is_matching = self.cleaned_data["scope"] == "matching"
        return is_matching and self.cleaned_data["previewed"] is None

    def decided(self) -> Decision:
        return Decision(self.cleaned_data["decision"])


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
