"""What people fill in to have passages become conversations."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.readers.prompted import PHRASINGS, PLACES, Passages
from datasets_app.corpus.readers.worth import USUAL

LARGEST_SEED = 2**31 - 1


class PassagesForm(forms.Form):
    """Phrasings of the question, one a line; `clean` makes checked `passages` of it."""

    prompts = forms.CharField(
        label="The question, one phrasing in each line",
        required=False,
        max_length=40_000,
        initial="\n".join(PHRASINGS),
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=" ".join(f"{{{{{place}}}}}" for place in PLACES)
        + " stand for what each passage has; a part in [[ ]] goes where its place is empty.",
    )
    seed = forms.IntegerField(
        label="Seed of chance",
        initial=1,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="The same seed chooses the same phrasings again.",
    )
    is_plain = forms.BooleanField(
        label="Take the marks of headings and lists away",
        required=False,
        help_text="Otherwise the structure stays, in the signs of Markdown.",
    )

    filters = forms.BooleanField(
        label="Leave out paragraphs that say little",
        required=False,
        help_text="Menus, buttons, lists of links and prices; what goes is listed with its score.",
    )
    least = forms.FloatField(
        label="What a paragraph has to score",
        initial=USUAL,
        min_value=0,
        max_value=1,
        required=False,
        widget=forms.NumberInput(attrs={"type": "range", "step": "0.05"}),
        help_text="From 0 (everything is kept) to 1. Plain instructions pass at the usual 0.6.",
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            return data
        lines = (line.strip() for line in data["prompts"].splitlines())
        prompts = tuple(dict.fromkeys(line for line in lines if line))
        try:
            least = data["least"] if data["least"] is not None else USUAL
            self.passages = Passages(
                prompts, data["seed"], data["is_plain"], least if data["filters"] else None
            )
        except CorpusError as error:
            self.add_error("prompts", str(error))
        return data
