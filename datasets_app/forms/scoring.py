"""What people may say about scores: who judges, what passes, and what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.corpus.layouts.prompts import PROMPTS
from datasets_app.models import Choice, Judge, KnownTokenizer, Provider
from datasets_app.services.scoring import ScoringOrder

LARGEST_REPORT = 64 << 20  # bytes

OFFLINE = [(Judge.OFFLINE.value, "the built-in judge: nothing leaves this machine")]


def _score(label: str, initial: str, hint: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_value=10,
        max_digits=4,
        decimal_places=2,
        initial=Decimal(initial),
        help_text=hint,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )


class CutsForm(forms.Form):
    """Both cuts; the one for passing may not lie below the one for failing."""

    passing = _score("Passes from", "8.00", "This score or more is a PASS.")
    failing = _score("Fails below", "7.00", "Between the two a person should look.")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if not self.errors:
            try:
                told["cuts"] = Cuts(told["passing"], told["failing"])
            except CorpusError as error:
                self.add_error("passing", str(error))
        return told


class ScoringForm(CutsForm):
    """Who judges which pairs, and what the scores mean."""

    judge = forms.ChoiceField(
        label="Who judges",
        choices=OFFLINE,
        initial=Judge.OFFLINE.value,
        widget=forms.RadioSelect,
    )
    model = forms.CharField(
        label="Model of the provider",
        max_length=200,
        required=False,
        help_text="Empty: the one that the provider names.",
    )

    def __init__(self, *args: Any, providers: Sequence[Provider], **more: Any) -> None:
        super().__init__(*args, **more)
        self._providers = {str(one.pk): one for one in providers}
        field = self.fields["judge"]
        named = [
            (pk, f"{one.name}: what is judged is sent there") for pk, one in self._providers.items()
        ]
        field.choices = [*OFFLINE, *named]  # type: ignore[attr-defined]

    @property
    def has_providers(self) -> bool:
        return bool(self._providers)

    def order(self, query: str) -> ScoringOrder:
        """Return what is wanted; the form is valid."""
        told = self.cleaned_data
        provider = self._providers.get(told["judge"])
        if provider is None:
            return ScoringOrder(query, cuts=told["cuts"])
        model = told["model"] or provider.model
        return ScoringOrder(query, Judge.PROVIDER, provider.name, model, told["cuts"])


class ReportForm(forms.Form):
    """A report of scores that another program, or this one, wrote."""

    report = forms.FileField(label="Validation report (JSON)")

    def clean_report(self) -> Any:
        sent = self.cleaned_data["report"]
        if sent.size > LARGEST_REPORT:
            raise forms.ValidationError("The report has more than 64 MB. Bring it in parts.")
        return sent


class LabelForm(forms.Form):
    """What a person gives a pair."""

    place = forms.IntegerField(min_value=1, max_value=100_000)
    label = forms.FloatField(min_value=0, max_value=10)


class FormatForm(forms.Form):
    """From which score on pairs are kept, and how they are written."""

    threshold = _score("Keep pairs that score at least", "8.00", "0.00 keeps all, unscored too.")
    choice = forms.ChoiceField(
        label="Of these rows", choices=Choice.choices, initial=Choice.KEPT.value
    )
    template = forms.ChoiceField(
        label="Template",
        choices=[(name, one.words) for name, one in PROMPTS.items()],
        initial="alpaca",
    )
    system = forms.CharField(
        label="System prompt",
        required=False,
        strip=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands before each conversation that has none of its own. May stay empty.",
    )
    tokenizer = forms.ChoiceField(label="Count tokens by", required=False)
    length = forms.IntegerField(
        label="Longest text, in tokens",
        required=False,
        initial=512,
        min_value=16,
        max_value=100_000,
    )
    passages = forms.BooleanField(
        label="With the passages of the dataset",
        required=False,
        help_text="Beside the pairs: a chat then also finds what no pair asks for.",
    )
    name = forms.CharField(label="Name of the version", max_length=180, required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        known = KnownTokenizer.objects.order_by("name").values_list("pk", "name")
        named = [(str(pk), name) for pk, name in known]
        self.fields["tokenizer"].choices = [("", "an estimate"), *named]  # type: ignore[attr-defined]

    def clean_length(self) -> int:
        return self.cleaned_data.get("length") or 512
