"""What people may type about datasets and versions."""

from __future__ import annotations

from django import forms

from datasets_app.models import Choice


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
