"""What a person may wish of the one-click loop."""

from __future__ import annotations

from typing import Any

from django import forms

from chat_app.forms import ALIAS
from chat_app.selectors.pipelines import SAMPLE_STEPS
from chat_app.services.pipelines import Wish
from datasets_app.models import Dataset
from training_app.lm.config import DEFAULT_PRESET


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

    def wish(self) -> Wish:
        """Return the wish; the sample trains for a number of steps that is known to suffice."""
        found = self.cleaned_data
        if found["dataset"] is None:
            return Wish(preset="tiny", alias=found["alias"], steps=SAMPLE_STEPS)
        minutes = found["minutes"] or 4.0
        return Wish(found["dataset"], preset=DEFAULT_PRESET, alias=found["alias"], minutes=minutes)
