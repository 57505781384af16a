"""Which exchanges of the log become data."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.models import Dataset


class HarvestForm(forms.Form):
    """Which exchanges go into which dataset."""

    scope = forms.ChoiceField(choices=[("selected", "selected"), ("matching", "matching")])
    previewed = forms.IntegerField(min_value=0, required=False)
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.filter(deleted_at=None), required=False
    )
    new_name = forms.CharField(max_length=180, required=False, strip=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if name := cleaned.get("new_name"):
            there = Dataset.objects.filter(deleted_at=None, name=name)
            cleaned["dataset"] = there.first()
        elif not self.errors and not cleaned.get("dataset"):
            raise forms.ValidationError("Choose a dataset, or type the name of a new one.")
        return cleaned
