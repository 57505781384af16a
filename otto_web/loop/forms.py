"""What people may wish of the one-click loop, and which exchanges become data."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField

from chat_app.forms.deployments import ALIAS
from chat_app.models import Deployment
from chat_app.serving.limits import NEW_TOKENS
from datasets_app.corpus.chunks.settings import LONGEST, SHORTEST
from datasets_app.corpus.pairs.extractive import MOST_QUESTIONS
from datasets_app.corpus.pairs.recipes import SENT_FOR_PAIRS
from datasets_app.models import Dataset, Provider, Upload
from datasets_app.selectors.documents import uploads_of_documents
from otto_web.loop.selectors.pipelines import FROM_NOTHING, SCRATCH_STEPS
from otto_web.loop.selectors.wishes import BATCH_SIZE, EPOCHS, OPSETS, WISHES
from otto_web.loop.services.pipelines import WISHED_OF_TRAINING, Documents, PipelineOrder, Wishes
from training_app.lm.config import LENGTH_UNITS, MOST_CONTEXT, ConfigError, TrainConfig
from training_app.lm.presets import DEFAULT_PRESET
from training_app.models import TrainedModel
from training_app.selectors.setting_words import TRAIN_SETTINGS

MOST_MODELS = 100  # that a select offers

FROM_BASE = "base"
SCRATCH_MINUTES = 4.0
USUAL = Documents()
_OF_TRAINING = {**WISHED_OF_TRAINING, "epochs": "epochs", "minutes": "minutes"}


def _number(kind: type[forms.Field], name: str, **options: Any) -> forms.Field:
    return kind(label=WISHES[name].label, help_text=WISHES[name].hint, required=False, **options)


class PipelineForm(forms.Form):
    """Everything that the steps from conversations to an answer may be told."""

    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.none(),
        required=False,
        empty_label="the bundled sample: an invented shop",
        label="Conversations",
    )
    way = forms.ChoiceField(
        required=False,
        label="Base model",
        help_text="What the model goes on from.",
    )
    epochs = _number(forms.FloatField, "epochs", initial=EPOCHS)
    batch_size = _number(forms.IntegerField, "batch_size", initial=BATCH_SIZE)
    minutes = _number(forms.FloatField, "minutes", min_value=0.5, max_value=600)
    uploads = forms.ModelMultipleChoiceField(
        queryset=Upload.objects.none(),
        required=False,
        label="Documents",
        help_text="Uploads with texts, pages, PDF or Word files. Where you choose any, the loop"
        " begins with them instead of with conversations.",
    )
    chunk_size = forms.IntegerField(
        label="Characters a chunk, at most",
        required=False,
        initial=USUAL.chunk_size,
        min_value=SHORTEST,
        max_value=LONGEST,
    )
    provider = forms.ModelChoiceField(
        queryset=Provider.objects.none(),
        required=False,
        empty_label="the built-in generator, on this machine",
        label="Who words the questions",
        help_text=f"A provider is sent {SENT_FOR_PAIRS}.",
    )
    questions = forms.IntegerField(
        label="Questions for each chunk, at most",
        required=False,
        initial=USUAL.questions,
        min_value=1,
        max_value=MOST_QUESTIONS,
    )
    passing = forms.FloatField(
        label="A pair passes from this score on",
        required=False,
        initial=USUAL.passing,
        min_value=0,
        max_value=10,
    )
    threshold = forms.FloatField(
        label="It is learned from, from this score on",
        required=False,
        initial=USUAL.threshold,
        min_value=0,
        max_value=10,
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
    model_name = _number(forms.CharField, "model_name", max_length=150)
    learning_rate = _number(forms.FloatField, "learning_rate")
    device = forms.ChoiceField(
        required=False,
        label=WISHES["device"].label,
        help_text=WISHES["device"].hint,
        choices=TRAIN_SETTINGS["device"].choices,
    )
    max_length = _number(forms.IntegerField, "max_length", min_value=16, max_value=MOST_CONTEXT)
    max_tokens = _number(
        forms.IntegerField, "max_tokens", min_value=NEW_TOKENS.low, max_value=NEW_TOKENS.high
    )
    onnx = _number(forms.BooleanField, "onnx")
    opset = _number(
        forms.TypedChoiceField, "opset", coerce=int, choices=[(one, one) for one in OPSETS]
    )
    verify = _number(forms.BooleanField, "verify", initial=True)
    force = _number(forms.CharField, "force", max_length=500)

    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, user: User, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["dataset"]
        field.queryset = Dataset.objects.filter(deleted_at=None).order_by("name")  # type: ignore[attr-defined]
        self.fields["uploads"].queryset = uploads_of_documents(user)  # type: ignore[attr-defined]
        self.fields["provider"].queryset = Provider.objects.filter(is_on=True)  # type: ignore[attr-defined]
        models = TrainedModel.objects.visible_to(user).ready().filter(is_chat=True)
        self.fields["way"].choices = [  # type: ignore[attr-defined]
            (FROM_BASE, "the newest base model here, which answers from what you know"),
            *((str(one.pk), f"{one}") for one in models.order_by("-created_at")[:MOST_MODELS]),
            (FROM_NOTHING, "none: see how a model learns from nothing"),
        ]

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
        if found.get("uploads") and found.get("dataset"):
            self.add_error("uploads", "Begin with conversations or with documents, not with both.")
        self._check_training(found)
        return found

    def _check_training(self, found: dict[str, Any]) -> None:
        """Say beside its field what no run could be told."""
        for name, ours in _OF_TRAINING.items():
            if (value := found.get(name)) in (None, ""):
                continue
            length = {} if ours in LENGTH_UNITS else {"steps": 1}
            try:
                TrainConfig.from_json({**length, ours: value})
            except ConfigError as error:
                self.add_error(name, str(error))

    @property
    def simple_fields(self) -> list[BoundField]:
        names = ("dataset", "way", "epochs", "batch_size", "minutes", "alias", "takes_over")
        return [self[name] for name in names]

    @property
    def document_fields(self) -> list[BoundField]:
        names = ("uploads", "chunk_size", "provider", "questions", "passing", "threshold")
        return [self[name] for name in names]

    @property
    def has_document_errors(self) -> bool:
        return any(field.errors for field in self.document_fields)

    @property
    def advanced_fields(self) -> list[BoundField]:
        shown = {field.name for field in [*self.simple_fields, *self.document_fields]}
        return [field for field in self.visible_fields() if field.name not in shown]

    @property
    def has_advanced_errors(self) -> bool:
        return any(field.errors for field in self.advanced_fields)

    def order(self) -> PipelineOrder:
        """Return the order; without epochs and minutes it trains for the updates of its preset."""
        found = self.cleaned_data
        dataset, minutes, way = found["dataset"], found["minutes"], found["way"]
        if way != FROM_NOTHING:
            order = PipelineOrder(dataset, minutes=minutes)
        elif dataset is None and not found["uploads"]:
            order = PipelineOrder(preset=FROM_NOTHING, steps=SCRATCH_STEPS)
        else:
            minutes = minutes or (None if found["epochs"] else SCRATCH_MINUTES)
            order = PipelineOrder(dataset, preset=DEFAULT_PRESET, minutes=minutes)
        order = replace(order, alias=found["alias"], takes_over=found["takes_over"])
        order = replace(order, wishes=self._wishes())
        if found["uploads"]:
            order = replace(order, documents=self._documents())
        return replace(order, key=found["key"]) if found["key"] else order

    def _documents(self) -> Documents:
        found = self.cleaned_data
        size = found["chunk_size"] or USUAL.chunk_size
        return Documents(
            uploads=[str(upload.pk) for upload in found["uploads"]],
            chunk_size=size,
            chunk_overlap=min(USUAL.chunk_overlap, size // 5),
            provider=found["provider"].name if found["provider"] else "",
            questions=found["questions"] or USUAL.questions,
            passing=USUAL.passing if found["passing"] is None else found["passing"],
            threshold=USUAL.threshold if found["threshold"] is None else found["threshold"],
        )

    def _wishes(self) -> Wishes:
        found = self.cleaned_data
        names = {one.name for one in fields(Wishes)} & set(found)
        wishes = Wishes(**{name: found[name] for name in names if found[name] not in (None, "")})
        return replace(
            wishes, base="" if found["way"] in ("", FROM_BASE, FROM_NOTHING) else found["way"]
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
