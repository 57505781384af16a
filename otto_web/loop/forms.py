"""What people may wish of the one-click loop, and which exchanges become data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from django import forms

from chat_app.forms.deployments import ALIAS
from chat_app.models import Deployment
from datasets_app.models import Dataset
from otto_web.loop.selectors.pipelines import FROM_NOTHING, SCRATCH_STEPS
from otto_web.loop.services.pipelines import PipelineOrder
from training_app.lm.presets import DEFAULT_PRESET

FROM_BASE = "base"


class PipelineForm(forms.Form):
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.none(),
        required=False,
        empty_label="the bundled sample: an invented shop",
        label="Conversations",
    )
    way = forms.ChoiceField(
        choices=[
            (FROM_BASE, "a base model, which answers from what you know"),
            (FROM_NOTHING, "nothing: see how a model learns"),
        ],
        initial=FROM_BASE,
        required=False,
        label="Begin with",
    )
    minutes = forms.FloatField(
        min_value=0.5,
        max_value=600,
        label="Minutes to train",
        required=False,
        help_text="Left empty, it is as short as it may be.",
    )
    alias = forms.CharField(
        max_length=60,
        required=False,
        validators=[ALIAS],
        label="Name of the deployment",
        help_text="Left empty, it is called like the data.",
    )
    takes_over = forms.BooleanField(
        required=False,
        label="Take over this name from the model that answers there now",
    )

    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["dataset"]
        field.queryset = Dataset.objects.filter(deleted_at=None).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        alias, takes_over = found.get("alias"), found.get("takes_over")
        if takes_over and alias == "":
            self.add_error("alias", "Say which name the new model takes over.")
        elif not takes_over and Deployment.objects.filter(alias=alias).exists():
            self.add_error(
                "alias",
                f"“{alias}” is there already. Choose another name, or let this one take over.",
            )
        return found

    def order(self) -> PipelineOrder:
        """Return the order; without minutes it trains for the updates of its preset."""
        found = self.cleaned_data
        dataset, minutes = found["dataset"], found["minutes"]
        if found["way"] != FROM_NOTHING:
            order = PipelineOrder(dataset, minutes=minutes)
        elif dataset is None:
            order = PipelineOrder(preset=FROM_NOTHING, steps=SCRATCH_STEPS)
        else:
            order = PipelineOrder(dataset, preset=DEFAULT_PRESET, minutes=minutes or 4.0)
        order = replace(order, alias=found["alias"], takes_over=found["takes_over"])
        return replace(order, key=found["key"]) if found["key"] else order


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
