"""What people may type about datasets and versions."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.split import FEWEST_FOR_TEST, Shares
from datasets_app.models import Choice, Dataset
from datasets_app.models.knowledge import LONGEST_QUESTION
from datasets_app.services.versions import VersionOrder


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
    validation = forms.FloatField(
        min_value=1,
        max_value=90,
        label="Validation, %",
        help_text="Kept back to watch the training with. Rows that have a split keep it.",
    )
    test = forms.FloatField(
        min_value=0,
        max_value=90,
        label="Test, %",
        help_text=f"Never looked at in training; needs {FEWEST_FOR_TEST} rows.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2_147_483_647,
        label="Seed",
        help_text="Another one parts new rows otherwise.",
    )
    note = forms.CharField(
        max_length=2_000, required=False, widget=forms.Textarea(attrs={"rows": 3}), label="Note"
    )

    @classmethod
    def of(cls, dataset: Dataset, data: Any = None) -> FreezeForm:
        """Return the form with the shares and the seed that the dataset had last."""
        start = {
            "validation": round(100 * dataset.validation_share, 2),
            "test": round(100 * dataset.test_share, 2),
            "seed": dataset.split_seed,
        }
        if data is not None:
            named = {name: str(value) for name, value in start.items() if name not in data}
            data = {**data.dict(), **named}
        return cls(data, initial=start)

    @property
    def of_splits(self) -> list[Any]:
        """Return the fields that say how rows are parted."""
        return [self["validation"], self["test"], self["seed"]]

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if {"validation", "test"} <= wanted.keys() and wanted["validation"] + wanted["test"] > 90:
            told = "Together validation and test leave less than a tenth to learn from."
            self.add_error("validation", told)
        return wanted

    def order(self) -> VersionOrder:
        """Return what is wanted; the form is valid."""
        wanted = self.cleaned_data
        return VersionOrder(
            choice=wanted["choice"],
            name=wanted["name"],
            note=wanted["note"].strip(),
            shares=Shares(wanted["validation"] / 100, wanted["test"] / 100),
            seed=wanted["seed"],
        )


class NoteForm(forms.Form):
    note = forms.CharField(max_length=2_000, required=False, widget=forms.Textarea)


class LookupForm(forms.Form):
    question = forms.CharField(
        max_length=LONGEST_QUESTION,
        strip=False,
        error_messages={"required": "There is no question. Type what somebody might ask."},
    )

    def clean_question(self) -> str:
        question: str = self.cleaned_data["question"]
        if not question.strip():
            raise forms.ValidationError(self.fields["question"].error_messages["required"])
        return question
