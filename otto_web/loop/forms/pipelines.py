"""What people may wish of the one-click loop."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField
from django.utils.html import escape

from chat_app.forms.deployments import ALIAS
from chat_app.models import Deployment
from chat_app.selectors.names import free_alias
from chat_app.serving.limits import NEW_TOKENS
from datasets_app.corpus.chunks.settings import LONGEST, SHORTEST
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.pairs.extractive import MOST_QUESTIONS
from datasets_app.forms.web import LONGEST as LONGEST_LIST
from datasets_app.forms.web import named_addresses
from datasets_app.models import Dataset, Provider, Upload
from datasets_app.selectors.documents import uploads_of_documents
from datasets_app.services.web import check_allowed
from otto_web.loop.selectors.defaults import LENGTHS, WITH_DEFAULT, team_values, who_said
from otto_web.loop.selectors.pipelines import FROM_NOTHING, SCRATCH_STEPS
from otto_web.loop.selectors.wishes import BATCH_SIZE, EPOCHS, OPSETS, WISHED_OF_TRAINING, WISHES
from otto_web.loop.services.pipelines import Documents, PipelineOrder, Wishes
from training_app.lm.config import LENGTH_UNITS, MOST_CONTEXT, ConfigError, TrainConfig
from training_app.lm.presets import DEFAULT_PRESET
from training_app.models import TrainedModel
from training_app.selectors.setting_words import TRAIN_SETTINGS

MOST_MODELS = 100  # that a select offers

FROM_BASE = "base"
SCRATCH_MINUTES = 4.0
USUAL = Documents()
AS_PRESET = "as the preset says"
_OF_TRAINING = {**WISHED_OF_TRAINING, "epochs": "epochs", "minutes": "minutes"}


def _number(kind: type[forms.Field], name: str, **options: Any) -> forms.Field:
    return kind(label=WISHES[name].label, help_text=WISHES[name].hint, required=False, **options)


def _chosen(name: str) -> forms.ChoiceField:
    choices = [("", AS_PRESET), *TRAIN_SETTINGS[name].choices]
    return _number(forms.ChoiceField, name, choices=choices)  # type: ignore[return-value]


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
    addresses = _number(
        forms.CharField,
        "addresses",
        max_length=LONGEST_LIST,
        widget=forms.Textarea({"rows": 3, "placeholder": "https://example.org/help/"}),
    )
    follows = _number(forms.BooleanField, "follows")
    chunk_size = _number(
        forms.IntegerField,
        "chunk_size",
        initial=USUAL.chunk_size,
        min_value=SHORTEST,
        max_value=LONGEST,
    )
    provider = forms.ModelChoiceField(
        queryset=Provider.objects.none(),
        required=False,
        empty_label="the built-in generator, on this machine",
        label=WISHES["provider"].label,
        help_text=WISHES["provider"].hint,
    )
    llm_model = _number(forms.CharField, "llm_model", max_length=150)
    questions = _number(
        forms.IntegerField,
        "questions",
        initial=USUAL.questions,
        min_value=1,
        max_value=MOST_QUESTIONS,
    )
    passing = _number(forms.FloatField, "passing", initial=USUAL.passing, min_value=0, max_value=10)
    threshold = _number(
        forms.FloatField, "threshold", initial=USUAL.threshold, min_value=0, max_value=10
    )
    resume = _number(forms.BooleanField, "resume")
    alias = forms.CharField(
        max_length=60,
        required=False,
        validators=[ALIAS],
        label=WISHES["alias"].label,
        help_text=WISHES["alias"].hint,
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
    optimizer = _chosen("optimizer")
    schedule = _chosen("schedule")
    max_grad_norm = _number(forms.FloatField, "max_grad_norm")
    precision = _chosen("precision")
    checkpoint_every = _number(forms.IntegerField, "checkpoint_every", min_value=0)
    keep_last = _number(forms.IntegerField, "keep_last", min_value=1)
    system_prompt = _number(forms.CharField, "system_prompt", max_length=2000)
    max_length = _number(forms.IntegerField, "max_length", min_value=16, max_value=MOST_CONTEXT)
    max_tokens = _number(
        forms.IntegerField, "max_tokens", min_value=NEW_TOKENS.low, max_value=NEW_TOKENS.high
    )
    onnx = _number(forms.BooleanField, "onnx")
    opset = _number(
        forms.TypedChoiceField, "opset", coerce=int, choices=[(one, one) for one in OPSETS]
    )
    verify = _number(forms.BooleanField, "verify", initial=True)
    verbose = _number(forms.BooleanField, "verbose")
    force = _number(forms.CharField, "force", max_length=500)

    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(
        self, user: User, data: Any = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
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
        every = team_values()
        self.team = self._usable(every)
        self.unseen = [name for name in every if name not in self.team]
        self.initial = {**self._begins(), **self.initial}
        for name in WITH_DEFAULT:
            self.fields[name].help_text = self._with_default(name)

    def _usable(self, values: dict[str, str]) -> dict[str, str]:
        """Return the team's defaults without those that name what is gone."""
        usable = {}
        for name, value in values.items():
            try:
                self.fields[name].clean(value)
            except forms.ValidationError:
                continue
            usable[name] = value
        return usable

    def _begins(self) -> dict[str, str]:
        """Return what the team's defaults fill in: a name that is taken gets a number."""
        alias = self.team.get("alias")
        return {**self.team, "alias": free_alias(alias)} if alias else self.team

    def _with_default(self, name: str) -> str:
        """Return the help of a field with the values that it has without a word of this run."""
        field, team = self.fields[name], self.team.get(name)
        words = f"Built-in: {in_words(field, field.initial)}."
        if team:
            words = f"Team’s default: {in_words(field, team)}. {words}"
        return f"{field.help_text} {escape(words)}".strip()

    def came_from(self) -> dict[str, str]:
        """Return whose word the value of each option is, by the names that wishes have."""
        found, begins = self.cleaned_data, self._begins()
        said = {}
        for name in WITH_DEFAULT:
            field = self.fields[name]
            team = field.clean(begins[name]) if name in begins else None
            built_in = field.clean(field.initial) if field.initial is not None else None
            said["base" if name == "way" else name] = who_said(found.get(name), team, built_in)
        return said

    def clean_addresses(self) -> tuple[str, ...]:
        named = named_addresses(self.cleaned_data["addresses"])
        if named:
            try:
                check_allowed(is_on=settings.OTTO_WEB_PAGES)
            except CorpusError as error:
                raise forms.ValidationError(str(error)) from error
        return named

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
        doors = [name for name in ("dataset", "uploads", "addresses") if found.get(name)]
        if len(doors) > 1:
            words = "Begin with conversations, with documents or with pages, not with both."
            self.add_error(doors[-1], words)
        self._check_training(found)
        return found | self._other_lengths(found)

    def _other_lengths(self, found: dict[str, Any]) -> dict[str, None]:
        """Return, empty, the team's lengths where another one was typed: that one counts."""
        begins = {name: self.fields[name].initial for name in LENGTHS}
        team = {name: self.fields[name].clean(self.team.get(name, "")) for name in LENGTHS}
        begins |= {name: value for name, value in team.items() if value is not None}
        typed = {name for name in LENGTHS if found.get(name) not in (None, begins[name])}
        others = set(LENGTHS) - typed if typed else set()
        return {name: None for name in others if found.get(name) == team[name]}

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
        names = ("dataset", "way", "epochs", "batch_size", "minutes", "resume")
        return [self[name] for name in (*names, "alias", "takes_over")]

    @property
    def document_fields(self) -> list[BoundField]:
        names = (
            "uploads",
            "addresses",
            "follows",
            "chunk_size",
            "provider",
            "llm_model",
            "questions",
        )
        return [self[name] for name in (*names, "passing", "threshold")]

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
        elif dataset is None and not self._has_documents:
            order = PipelineOrder(preset=FROM_NOTHING, steps=SCRATCH_STEPS)
        else:
            minutes = minutes or (None if found["epochs"] else SCRATCH_MINUTES)
            order = PipelineOrder(dataset, preset=DEFAULT_PRESET, minutes=minutes)
        order = replace(order, alias=found["alias"], takes_over=found["takes_over"])
        order = replace(order, wishes=self._wishes(), came_from=self.came_from())
        if self._has_documents:
            order = replace(order, documents=self._documents())
        return replace(order, key=found["key"]) if found["key"] else order

    @property
    def _has_documents(self) -> bool:
        found = self.cleaned_data
        return bool(found["uploads"] or found["addresses"])

    def _documents(self) -> Documents:
        found = self.cleaned_data
        size = found["chunk_size"] or USUAL.chunk_size
        return Documents(
            uploads=[str(upload.pk) for upload in found["uploads"]],
            addresses=found["addresses"],
            follows=found["follows"],
            chunk_size=size,
            chunk_overlap=min(USUAL.chunk_overlap, size // 5),
            provider=found["provider"].name if found["provider"] else "",
            llm_model=found["llm_model"],
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


def in_words(field: forms.Field, value: Any) -> str:
    """Return a field's value as its form shows it."""
    if value in (None, ""):
        if (empty := getattr(field, "empty_label", None)) is not None:
            return str(empty)
        offered = list(getattr(field, "choices", ()))
        return str(dict(offered).get("", offered[0][1])) if offered else "none"
    if isinstance(field, forms.ModelChoiceField):
        return str(field.clean(value))
    words = dict(getattr(field, "choices", ())).get(value)
    return str(words or (f"{value:g}" if isinstance(value, float) else value))
