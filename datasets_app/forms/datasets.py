"""What people may type about datasets and versions."""

from __future__ import annotations

from django import forms

from datasets_app.models import Choice
from datasets_app.models.knowledge import LONGEST_QUESTION


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
