"""What people may wish of the one-click loop, and which exchanges become data."""

from __future__ import annotations

from typing import Any

from django import forms

from chat_app.forms.deployments import ALIAS
from datasets_app.models import Dataset
from otto_web.loop.selectors.pipelines import SAMPLE_STEPS
from otto_web.loop.services.pipelines import PipelineOrder
from training_app.lm.presets import DEFAULT_PRESET


class PipelineForm(forms.Form):
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.none(),
        required=False,
        empty_label="the bundled sample: an invented shop",
        label="Conversations",
    )
    minutes = forms.FloatField(
        min_value=0.5, max_value=600, initial=4, label="Minutes to train", required=False
    )
    alias = forms.CharField(
        max_length=60, initial="support", validators=[ALIAS], label="Name of the deployment"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["dataset"]
        field.queryset = Dataset.objects.filter(deleted_at=None).order_by("name")  # type: ignore[attr-defined]

    def order(self) -> PipelineOrder:
        """Return the order; the sample trains for a number of steps that is known to suffice."""
        found = self.cleaned_data
        if found["dataset"] is None:
            return PipelineOrder(preset="tiny", alias=found["alias"], steps=SAMPLE_STEPS)
        minutes = found["minutes"] or 4.0
        return PipelineOrder(
            found["dataset"], preset=DEFAULT_PRESET, alias=found["alias"], minutes=minutes
        )


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
