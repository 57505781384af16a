"""What people fill in to have passages become conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.readers.job import LONGEST
from datasets_app.corpus.readers.prompted import LEAST_LONG, PHRASINGS, PLACES, Passages
from datasets_app.corpus.readers.worth import USUAL

LARGEST_SEED = 2**31 - 1
SHORTEST = 50
LONGEST_TOPIC = 200


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
    name = forms.CharField(label="Name of the dataset", required=False, max_length=200)
    source = forms.CharField(
        label="Where they come from",
        required=False,
        max_length=200,
        help_text="What {{source}} stands for; else the name or address of each file.",
    )
    category = forms.CharField(
        label="What kind of texts they are",
        required=False,
        max_length=200,
        help_text="What {{category}} stands for, for example “returns”.",
    )
    shortest = forms.IntegerField(
        label="Leave out texts with fewer characters",
        initial=SHORTEST,
        required=False,
        min_value=0,
        max_value=LONGEST,
        help_text="What goes is listed; 0 keeps everything.",
    )
    longest = forms.IntegerField(
        label="Divide texts with more characters",
        initial=LONGEST,
        required=False,
        min_value=LEAST_LONG,
        max_value=LONGEST,
        help_text="At paragraphs, else at sentences. Nothing is cut off.",
    )
    trims = forms.BooleanField(
        label="Take away repeated titles, blanks, and lines about cookies or newsletters",
        required=False,
        initial=True,
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

    def __init__(
        self, *args: Any, texts: Sequence[tuple[str, str]] = (), given: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        if len(texts) > 1:
            self.fields["text"] = forms.MultipleChoiceField(
                label="Which texts",
                choices=texts,
                initial=[key for key, _ in texts],
                widget=forms.CheckboxSelectMultiple,
                required=bool(given and "chooses" in given),
                error_messages={"required": "Choose at least one text."},
            )
        self._given = given
        self.topics = dict(self.initial.get("topics") or {})
        if given is not None:
            pairs = zip(given.getlist("topic"), given.getlist("called"), strict=False)
            said = {clean_text(old).text: clean_text(new).text.strip() for old, new in pairs}
            self.topics |= {old: new[:LONGEST_TOPIC] for old, new in said.items() if new}
            self.topics = {old: new for old, new in self.topics.items() if old != new}

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            return data
        lines = (line.strip() for line in data["prompts"].splitlines())
        prompts = tuple(dict.fromkeys(line for line in lines if line))
        try:
            least = data["least"] if data["least"] is not None else USUAL
            self.passages = Passages(
                prompts,
                data["seed"],
                data["is_plain"],
                least if data["filters"] else None,
                trims=data["trims"],
                shortest=data["shortest"] or 0,
                longest=data["longest"] or LONGEST,
                source=data["source"],
                category=data["category"],
                topics=self.topics,
            )
        except CorpusError as error:
            self.add_error("prompts", str(error))
        return data
