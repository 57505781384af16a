"""The form of a new run: a filled preset that can be changed field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField

from datasets_app.models import Version
from datasets_app.selectors.versions import trainable_versions
from otto_web.lib import words
from training_app.lm.config import (
    ConfigError,
    DataConfig,
    ModelConfig,
    RunSpec,
    TrainConfig,
    TrainingError,
)
from training_app.lm.layout import shape_of
from training_app.lm.methods.registry import DEFAULT_METHOD
from training_app.lm.presets import DEFAULT_PRESET, PRESETS, Preset
from training_app.lm.settings_file import Line, ReadSettings
from training_app.lm.tokenizer_backends import BACKENDS, BOUNDS, Recipe
from training_app.models import MadeTokenizer, TrainedModel, paths
from training_app.selectors.devices import has_gpu
from training_app.selectors.forecast import Forecast, forecast
from training_app.selectors.local_models import PREFIX, how_to_add, local_names, local_shape
from training_app.selectors.recommendation import Recommendation, recommended
from training_app.selectors.setting_words import (
    DATA_SETTINGS,
    METHOD_CHOICES,
    MODEL_SETTINGS,
    SETTINGS,
    TRAIN_SETTINGS,
    Setting,
)
from training_app.services.runs import Order, following_name

LENGTH_FIELDS = {"length": "How long", "length_unit": "Unit"}
LENGTH_LABELS = {"minutes": "minutes", "epochs": "passes over the data", "steps": "updates"}
# of a model that goes on learning, whatever the form says
_OWN_SHAPE = frozenset(MODEL_SETTINGS) - {"context"} | {"tokenizer"}
_KINDS: dict[str, type[forms.Field]] = {
    "int": forms.IntegerField,
    "float": forms.FloatField,
    "bool": forms.BooleanField,
    "str": forms.CharField,
}


class _SelectWithReasons(forms.Select):
    """A select whose choices may be there to say why they cannot be chosen."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__()
        self.reasons = reasons

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the option, disabled where it has a reason."""
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.reasons:
            option["attrs"]["disabled"] = True
        return option


NO_FP16 = "not here; a CPU is slower in it, and on a GPU bf16 needs no scaling"


class RunForm(forms.Form):
    """Everything a run is told; the fields of the network and of training come from their types."""

    version: forms.ModelChoiceField[Version] = forms.ModelChoiceField(
        queryset=Version.objects.none(),
        label="Version",
        empty_label="Choose a version",
        help_text="A frozen dataset: it never changes, so the run can be repeated.",
    )
    start_model: forms.ModelChoiceField[TrainedModel] = forms.ModelChoiceField(
        queryset=TrainedModel.objects.none(),
        label="Start from",
        required=False,
        empty_label="nothing: from scratch",
        help_text="A model made here goes on learning; size and tokenizer are its own.",
    )
    local_model = forms.ChoiceField(
        label="Or from a local model",
        required=False,
        help_text="A folder that somebody carried to this machine, as safetensors; it is read in"
        " windows of the context below.",
    )
    made_tokenizer: forms.ModelChoiceField[MadeTokenizer] = forms.ModelChoiceField(
        queryset=MadeTokenizer.objects.none(),
        label="A tokenizer that was made before",
        required=False,
        empty_label="none: one is made of the version",
        help_text="For a run from scratch; the vocabulary is then its own.",
    )
    method = forms.ChoiceField(
        label="What is trained",
        required=False,
        choices=METHOD_CHOICES,
        help_text="Of a model that goes on learning; from scratch it is always everything.",
    )
    length = forms.FloatField(
        label=LENGTH_FIELDS["length"],
        min_value=0.001,
        error_messages={"min_value": "Say more than nothing: at least %(limit_value)s."},
    )
    length_unit = forms.ChoiceField(
        label=LENGTH_FIELDS["length_unit"], choices=list(LENGTH_LABELS.items())
    )
    name = forms.CharField(
        max_length=200,
        required=False,
        label="Name",
        help_text="The model gets this name and the next free number; nothing is overwritten.",
    )
    system_prompt = forms.CharField(
        required=False,
        label="System prompt",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Opens every conversation, in training and in chats. Usually empty.",
    )
    forced = forms.BooleanField(required=False, label="Train anyway")
    forced_reason = forms.CharField(
        required=False, label="Why", max_length=500, help_text="Kept with the run."
    )
    preset = forms.CharField(required=False, widget=forms.HiddenInput)
    idem_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, user: User, data: Any = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["version"].queryset = trainable_versions(user)  # type: ignore[attr-defined]
        models = TrainedModel.objects.visible_to(user).ready().order_by("-created_at")
        self.fields["start_model"].queryset = models  # type: ignore[attr-defined]
        made = MadeTokenizer.objects.visible_to(user).ready().order_by("-created_at")
        self.fields["made_tokenizer"].queryset = made  # type: ignore[attr-defined]
        self._offer_local_models()
        for config in (DataConfig, ModelConfig, TrainConfig):
            for item in fields(config):
                if item.name in SETTINGS:
                    self.fields[item.name] = _field(str(item.type), SETTINGS[item.name])
        self._offer_devices()
        self.forecast: Forecast | None = None
        self._spec: RunSpec | None = None

    def _offer_local_models(self) -> None:
        field = self.fields["local_model"]
        field.choices = [("", "none"), *((name, name) for name in local_names())]  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = how_to_add("%(value)s")

    def _offer_devices(self) -> None:
        """Leave out the GPU where there is none; show what no precision here is, and why."""
        device, precision = self.fields["device"], self.fields["precision"]
        if not has_gpu():
            named = [one for one in device.choices if one[0] != "cuda"]  # type: ignore[attr-defined]
            device.choices = named  # type: ignore[attr-defined]
        precision.widget = _SelectWithReasons({"fp16": NO_FP16})
        precision.choices = [*precision.choices, ("fp16", f"fp16: {NO_FP16}")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Build the checked specification; a contradiction is said beside its field."""
        values = super().clean() or {}
        if self.errors:
            return values
        try:
            self._spec = self._built(values)
            self.forecast = forecast(self._spec, values["version"])
        except ConfigError as error:
            name = "length" if error.field in LENGTH_LABELS else error.field
            self.add_error(name if name in self.fields else None, str(error))
            return values
        except TrainingError as error:
            self.add_error("local_model" if values["local_model"] else "start_model", str(error))
            return values
        return values

    def _built(self, values: dict[str, Any]) -> RunSpec:
        model, start_from = self._start(values)
        train = {name: values[name] for name in TRAIN_SETTINGS}
        length = values["length"]
        train[values["length_unit"]] = int(length) if values["length_unit"] == "steps" else length
        data = DataConfig(
            version=str(values["version"].pk),
            made_tokenizer=_key_of(values["made_tokenizer"]),
            system_prompt=values["system_prompt"].strip(),
            **{name: values[name] for name in DATA_SETTINGS},
        )
        spec = RunSpec(model, TrainConfig(**train), data, preset=values["preset"])
        method = values["method"] or DEFAULT_METHOD
        if start_from:
            return spec.started(start_from, method)
        return spec if method == DEFAULT_METHOD else replace(spec, method=method)

    def _start(self, values: dict[str, Any]) -> tuple[ModelConfig, str]:
        """Return the network's shape, and what the run begins with."""
        start: TrainedModel | None = values["start_model"]
        local = values["local_model"]
        if local and start is not None:
            raise TrainingError("Start from one model: one made here, or a local one.")
        if local:
            return local_shape(local, context=values["context"]), f"{PREFIX}{local}"
        if start is not None:
            return model_config_of(start, context=values["context"]), str(start.pk)
        return ModelConfig(**{name: values[name] for name in MODEL_SETTINGS}), ""

    def order(self) -> Order:
        """Return what `queue_run` takes; only of a valid form."""
        values = self.cleaned_data
        if self._spec is None or self.forecast is None:
            raise ValueError("only a valid form has an order")
        return Order(
            name=values["name"] or self._suggested_name(self.forecast, values),
            spec=self._spec,
            version=values["version"],
            idem_key=values["idem_key"],
            forced_reason=values["forced_reason"] if values["forced"] else "",
            start_model=values["start_model"],
        )

    def _suggested_name(self, expected: Forecast, values: dict[str, Any]) -> str:
        if values["start_model"] is not None:
            return following_name(values["start_model"].name, "continued")
        return suggested_name(expected.parameters, values["version"].dataset.name)

    @property
    def recommendation(self) -> Recommendation | None:
        """Return the size for this version, where a run from nothing has another one."""
        if self.forecast is None or self._spec is None or self._spec.start_from:
            return None
        found = recommended(self.forecast)
        return None if found.is_taken(self._spec.model) else found

    @property
    def differences(self) -> list[str]:
        """Return, in words, which values of a valid form are not those of its preset."""
        name = self.cleaned_data.get("preset", "")
        if name not in PRESETS or self._spec is None or self.errors:
            return []
        said, is_started = preset_values(name), bool(self._spec.start_from)
        labels = LENGTH_FIELDS | {field: setting.label for field, setting in SETTINGS.items()}
        own = _OWN_SHAPE if is_started else frozenset()
        given = {
            **self.cleaned_data,
            "length_unit": LENGTH_LABELS[self.cleaned_data["length_unit"]],
        }
        said["length_unit"] = LENGTH_LABELS[said["length_unit"]]
        return [
            f"{label} {_spoken(given[field])} instead of {_spoken(said[field])}"
            for field, label in labels.items()
            if field not in own and given[field] != said[field]
        ]

    @property
    def simple_fields(self) -> list[BoundField]:
        return [self[name] for name, setting in SETTINGS.items() if setting.is_simple]

    @property
    def advanced_model(self) -> list[BoundField]:
        settings = {**DATA_SETTINGS, **MODEL_SETTINGS}
        return [self[name] for name, setting in settings.items() if not setting.is_simple]

    @property
    def has_model_errors(self) -> bool:
        return any(field.errors for field in self.advanced_model)

    @property
    def has_train_errors(self) -> bool:
        return any(field.errors for field in [*self.advanced_train, self["system_prompt"]])

    @property
    def advanced_train(self) -> list[BoundField]:
        return [self[name] for name, setting in TRAIN_SETTINGS.items() if not setting.is_simple]


def _key_of(made: MadeTokenizer | None) -> str:
    return "" if made is None else str(made.pk)


def _field(kind: str, setting: Setting) -> forms.Field:
    if setting.choices:
        return forms.ChoiceField(
            label=setting.label, help_text=setting.hint, choices=setting.choices
        )
    return _KINDS[kind](
        label=setting.label, help_text=setting.hint, required=kind not in ("bool", "str")
    )


def model_config_of(model: TrainedModel, *, context: int) -> ModelConfig:
    """Return the shape of a model here; it cannot be changed when it goes on learning.

    A base model, which was not trained here, is read in windows of at most `context` tokens.
    """
    if model.run is None:
        shape = shape_of(paths.absolute(model.path))
        return replace(shape, context=min(shape.context, context))
    shape = RunSpec.from_json(model.run.spec).model
    if model.tokenizer is None:
        return shape
    return replace(shape, vocab_size=model.tokenizer.vocab_size)  # the run had wished for another


def suggested_name(parameters: int, dataset: str) -> str:
    """Return a name that says what the model is of and how large."""
    return f"{dataset[:150]} {parameters / 1e6:.1f}M"


def _decided_by_presets() -> frozenset[str]:
    """Return what presets are about: every setting in which one of them differs from the rest."""
    plain = _settings_of(ModelConfig(), TrainConfig(minutes=1), DataConfig())
    return frozenset(
        name
        for preset in PRESETS.values()
        for name, value in _settings_of(preset.model, preset.train, preset.data).items()
        if name in SETTINGS and value != plain[name]
    ) | {"length", "length_unit"}


def _settings_of(*configs: ModelConfig | TrainConfig | DataConfig) -> dict[str, Any]:
    return {name: value for config in configs for name, value in config.as_json().items()}


DECIDED_BY_PRESETS = _decided_by_presets()


def with_preset(
    typed: Mapping[str, str], name: str, *, base: TrainedModel | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Return a form's values with a preset chosen, and what that changed, in words.

    Only what presets are about is changed; everything else stays as somebody typed it. A preset
    that goes on from a model begins with `base` unless a model is named.
    """
    chosen = preset_values(name)
    values: dict[str, Any] = {**typed, "preset": chosen["preset"], "method": chosen["method"]}
    values |= _start_for(PRESETS[chosen["preset"]], typed, base)
    values |= {field: chosen[field] for field in DECIDED_BY_PRESETS}
    labels = LENGTH_FIELDS | {field: setting.label for field, setting in SETTINGS.items()}
    changed = [
        f"{labels[field]} {_spoken(typed.get(field, ''))} → {_spoken(chosen[field])}"
        for field in [*LENGTH_FIELDS, *SETTINGS]
        if field in DECIDED_BY_PRESETS and not _is_same(typed.get(field, ""), chosen[field])
    ]
    return values, changed


def with_values(typed: Mapping[str, str], given: Mapping[str, str]) -> dict[str, Any]:
    """Return a form's values with these instead, by our names, as a file would give them."""
    return with_settings(typed, ReadSettings([Line(name, given[name], name) for name in given]))


def with_settings(typed: Mapping[str, str], found: ReadSettings) -> dict[str, Any]:
    """Return a form's values with the settings of a file; what they do not name stays as typed."""
    values: dict[str, Any] = {**typed, **found.values}
    for unit in LENGTH_LABELS:
        if unit in found.values:
            values |= {"length": found.values[unit], "length_unit": unit}
    tied = found.values.get("tie_word_embeddings")
    if tied is None:
        values["tie_word_embeddings"] = "tie_word_embeddings" in typed
    else:
        values["tie_word_embeddings"] = tied.lower() in {"true", "yes", "on"}
    values["forced"] = "forced" in typed
    return values


def _start_for(
    preset: Preset, typed: Mapping[str, str], base: TrainedModel | None
) -> dict[str, Any]:
    """Return what the run begins with: nothing, where the preset before brought a model along."""
    if not preset.is_started:
        earlier = PRESETS.get(typed.get("preset", ""))
        return {"start_model": ""} if earlier is not None and earlier.is_started else {}
    if typed.get("start_model") or typed.get("local_model") or base is None:
        return {}
    return {"start_model": str(base.pk)}


def _spoken(value: object) -> str:
    number = words.finite(value)
    return words.figure(value if number is None or isinstance(value, bool) else number)


def _is_same(typed: str, chosen: object) -> bool:
    """Return whether a typed text means the preset's value: `3e-3` is 0.003."""
    if isinstance(chosen, int | float):
        return words.finite(typed) == chosen
    return typed == chosen


def preset_values(name: str) -> dict[str, Any]:
    """Return the form's values for a preset; an unknown name gives the default one."""
    key = name if name in PRESETS else DEFAULT_PRESET
    preset: Preset = PRESETS[key]
    values: dict[str, Any] = {name: getattr(preset.model, name) for name in MODEL_SETTINGS}
    values |= {name: getattr(preset.train, name) for name in TRAIN_SETTINGS}
    values |= {name: getattr(preset.data, name) for name in DATA_SETTINGS}
    unit = next(unit for unit in LENGTH_LABELS if getattr(preset.train, unit) is not None)
    return values | {
        "length": getattr(preset.train, unit),
        "length_unit": unit,
        "preset": key,
        "method": preset.method if preset.is_started else DEFAULT_METHOD,
        "idem_key": uuid4(),
    }


class TokenizerForm(forms.Form):
    """A tokenizer to be: of which version, by which way, how large."""

    version: forms.ModelChoiceField[Version] = forms.ModelChoiceField(
        queryset=Version.objects.none(),
        label="Version",
        empty_label="Choose a version",
        help_text="What it learns from: the training split of a frozen dataset.",
    )
    method = forms.ChoiceField(
        label="How it learns",
        choices=[(name, f"{one.label}: {one.sentence}") for name, one in BACKENDS.items()],
        widget=forms.RadioSelect,
        initial="bpe",
    )
    vocab_size = forms.IntegerField(
        label="Vocabulary",
        initial=4096,
        help_text="Entries wished for; small data give fewer. The single bytes are always there.",
    )
    min_frequency = forms.IntegerField(
        label="Smallest frequency",
        initial=2,
        help_text="How often a piece must occur to become an entry.",
    )
    holdout_fraction = forms.FloatField(
        label="Kept back",
        initial=0.01,
        help_text="The share of conversations kept back to measure with, from 0 to 0.5.",
    )
    seed = forms.IntegerField(label="Seed", initial=42, help_text="Which ones are kept back.")
    name = forms.CharField(max_length=200, required=False, label="Name")

    def __init__(self, user: User, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["version"].queryset = trainable_versions(user)  # type: ignore[attr-defined]
        for name, (low, high) in BOUNDS.items():
            self.fields[name].widget.attrs |= {"min": f"{low:g}", "max": f"{high:.0f}"}
        self.fields["holdout_fraction"].widget.attrs |= {"step": "any", "max": "0.5"}

    def clean(self) -> dict[str, Any]:
        """Say beside its field what a recipe cannot be."""
        values = super().clean() or {}
        if not self.errors:
            try:
                self.recipe()
            except ConfigError as error:
                self.add_error(error.field, str(error))
        return values

    def recipe(self) -> Recipe:
        """Return what was chosen. Raises ConfigError."""
        names = ("method", *BOUNDS)
        return Recipe(**{name: self.cleaned_data[name] for name in names})
