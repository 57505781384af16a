"""What people fill in to have pairs made of chunks, and what admins say of providers."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.pairs.extractive import MOST_QUESTIONS
from datasets_app.corpus.pairs.recipes import (
    DEFAULT_QUESTIONS,
    LONGEST_PROMPT,
    MOST_RECIPES,
    ROLE,
    TASK,
    Recipe,
    read_definition,
    system_prompt_warnings,
)
from datasets_app.corpus.pairs.registry import PATTERNS
from datasets_app.corpus.providers.registry import KINDS
from datasets_app.forms.documents import BringForm
from datasets_app.forms.uploads import ManyFilesField
from datasets_app.models import ChunkSet, Dataset, Provider
from datasets_app.services.generating import Options
from datasets_app.services.providers import ProviderSettings

LARGEST_DEFINITION = 1 << 20
BUILT_IN = "The built-in generator: no model, nothing leaves this machine"


class PairForm(forms.Form):
    """From which chunks, by whom, and how; `clean` makes checked `options` of it."""

    chunk_set = forms.ModelChoiceField(
        label="Chunks", queryset=ChunkSet.objects.none(), empty_label=None
    )
    into = forms.CharField(
        label="Into another dataset",
        required=False,
        max_length=200,
        help_text="Its name; a new name makes one. Empty: into this dataset.",
    )
    provider = forms.ModelChoiceField(
        label="Who words the questions",
        queryset=Provider.objects.none(),
        required=False,
        empty_label=BUILT_IN,
    )
    questions = forms.IntegerField(
        label="Questions a chunk, at most",
        min_value=1,
        max_value=MOST_QUESTIONS,
        initial=DEFAULT_QUESTIONS,
        help_text="Of the built-in generator. With a provider each recipe has its own number.",
    )
    patterns = forms.MultipleChoiceField(
        choices=[(pattern.name, pattern.label) for pattern in PATTERNS.values()],
        initial=[pattern.name for pattern in PATTERNS.values() if pattern.on],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    model = forms.CharField(
        label="Model",
        required=False,
        max_length=200,
        help_text="As the provider calls it. Empty: the one that an admin set for the provider.",
    )
    temperature = forms.FloatField(
        label="Temperature",
        min_value=0,
        max_value=2,
        initial=0.7,
        help_text="0 always words alike, higher varies more. Models that take none ignore it.",
    )
    max_tokens = forms.IntegerField(
        label="Tokens a reply, at most", min_value=16, max_value=32_000, initial=2000
    )
    reasoning = forms.BooleanField(
        label="Let the model think first",
        required=False,
        help_text="Costs more tokens and time. What it thinks is kept in the reply only.",
    )
    definition = forms.FileField(
        label="A recipe file",
        required=False,
        help_text="YAML or JSON with “model_system_prompt” and “training_prompts”, as it stands "
        "beside a document. It takes the place of the recipes above.",
    )

    def __init__(
        self, *args: Any, dataset: Dataset, recipes: forms.BaseFormSet[Any], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.recipes = recipes
        sets = ChunkSet.objects.filter(dataset=dataset, n_chunks__gt=0).order_by("-created_at")
        self.fields["chunk_set"].queryset = sets  # type: ignore[attr-defined]
        self.fields["provider"].queryset = Provider.objects.filter(is_on=True).order_by("name")  # type: ignore[attr-defined]
        self.warnings: list[str] = []

    def clean_definition(self) -> list[Recipe]:
        sent = self.cleaned_data["definition"]
        if not sent:
            return []
        if sent.size > LARGEST_DEFINITION:
            raise forms.ValidationError("A recipe file may have 1 MiB.")
        try:
            return read_definition(sent.read().decode("utf-8", "replace"))
        except CorpusError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors or (data.get("provider") and not self.recipes.is_valid()):
            return data
        recipes = data["definition"] or self._recipes() if data["provider"] else []
        self.options = Options(
            provider=data["provider"],
            model=data["model"].strip(),
            recipes=tuple(recipes) or (Recipe(),),
            patterns=tuple(data["patterns"]),
            questions=data["questions"],
            temperature=data["temperature"],
            max_tokens=data["max_tokens"],
            reasoning=data["reasoning"],
        )
        self._check()
        return data

    def _recipes(self) -> list[Recipe]:
        forms_of = [one.cleaned_data for one in self.recipes if one.cleaned_data.get("prompt")]
        return [
            Recipe(one["name"] or f"Recipe {n}", one["prompt"], one["system_prompt"], one["count"])
            for n, one in enumerate(forms_of, start=1)
        ]

    def _check(self) -> None:
        try:
            self.options.check()
        except CorpusError as error:
            self.add_error(None, str(error))
        for recipe in self.options.recipes if self.options.provider else ():
            for warning in system_prompt_warnings(recipe.system_prompt):
                self.warnings.append(f"{recipe.name}: {warning}")


class BringPairsForm(BringForm):
    """Files of pairs that the earlier pipeline wrote."""

    sent = ManyFilesField(label="Files that end with _qa.json")
    name = forms.CharField(label="Name of their chunks", max_length=200, initial="Brought pairs")


class RecipeForm(forms.Form):
    """One recipe: what the model is asked, what it is told to be, and for how many questions."""

    name = forms.CharField(label="Name", required=False, max_length=100)
    count = forms.IntegerField(
        label="Questions a chunk",
        min_value=1,
        max_value=MOST_QUESTIONS,
        initial=DEFAULT_QUESTIONS,
    )
    prompt = forms.CharField(
        label="Prompt",
        required=False,
        max_length=LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="{count} stands for the number of questions. The passage is added below it. "
        "Empty: this recipe is left out.",
    )
    system_prompt = forms.CharField(
        label="System prompt",
        required=False,
        max_length=LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


RecipeFormSet = forms.formset_factory(RecipeForm, extra=0, max_num=MOST_RECIPES, validate_max=True)
FIRST_RECIPES = [{"name": "Questions and answers", "prompt": TASK, "system_prompt": ROLE}]


class ProviderForm(forms.Form):
    """What an admin says of a provider; the key is only taken, never shown."""

    kind = forms.ChoiceField(
        label="Kind", choices=lambda: [(kind.name, kind.label) for kind in KINDS.values()]
    )
    name = forms.CharField(label="Name here", max_length=100)
    base_url = forms.CharField(
        label="Address",
        max_length=500,
        required=False,
        help_text="Empty: the usual one of its kind.",
    )
    key = forms.CharField(
        label="Key",
        required=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again. Empty keeps the one that is there.",
    )
    model = forms.CharField(
        label="Model",
        required=False,
        max_length=200,
        help_text="Where nothing else is said. Empty: the usual one of its kind.",
    )
    concurrency = forms.IntegerField(
        label="Questions at once", min_value=1, max_value=16, initial=2
    )
    per_minute = forms.IntegerField(
        label="Questions a minute, at most", min_value=1, max_value=100_000, initial=60
    )
    budget_tokens = forms.IntegerField(
        label="Tokens in all, at most",
        required=False,
        min_value=1,
        max_value=10**15,
        help_text="Counted over all orders. Empty: no limit here.",
    )
    connect_seconds = forms.FloatField(
        label="Seconds to connect", min_value=0.1, max_value=120, initial=10
    )
    reply_seconds = forms.FloatField(
        label="Seconds for a reply", min_value=0.1, max_value=3600, initial=120
    )
    is_on = forms.BooleanField(label="May be used", required=False, initial=True)

    def __init__(self, *args: Any, provider: Provider | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.provider = provider

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Provider.objects.filter(name=name)
        if self.provider:
            others = others.exclude(pk=self.provider.pk)
        if others.exists():
            raise forms.ValidationError("There is a provider with this name.")
        return name

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        kind = KINDS.get(data.get("kind", ""))
        if kind is None or self.errors:
            return data
        data["base_url"] = (data["base_url"].strip() or kind.base_url).rstrip("/")
        data["model"] = data["model"].strip() or kind.model
        if not data["base_url"]:
            self.add_error("base_url", "This kind has no usual address: enter one.")
        has_key = data["key"] or (self.provider and self.provider.sealed_key)
        if kind.needs_key and not has_key:
            self.add_error("key", f"{kind.label} needs a key.")
        return data

    @property
    def settings(self) -> ProviderSettings:
        """Return what was said, once the form is valid."""
        return ProviderSettings(**self.cleaned_data)


def provider_values(provider: Provider) -> dict[str, Any]:
    """Return what the form begins with for a provider that is there."""
    names = [name for name in ProviderForm.base_fields if name != "key"]
    return {name: getattr(provider, name) for name in names}
