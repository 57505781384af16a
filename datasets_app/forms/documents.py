"""What people fill in to have documents cut into chunks, and to bring chunks of elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.chunks.settings import (
    CHARACTERS,
    LONGEST,
    OVERLAP,
    RECURSIVE,
    SHORTEST,
    SIZE,
    STRATEGIES,
    TOKENS,
    Settings,
)
from datasets_app.corpus.conversation import CorpusError
from datasets_app.forms.uploads import ManyFilesField
from datasets_app.models import KnownTokenizer, Upload

MOST_BYTES = 32 << 20


class ChunkForm(forms.Form):
    """Which documents, and how they are cut; `clean` makes checked `settings` of it."""

    uploads = forms.ModelMultipleChoiceField(
        queryset=Upload.objects.none(),
        error_messages={"required": "Choose at least one upload."},
    )
    only = forms.CharField(
        label="Only files whose name or folder contains",
        required=False,
        max_length=200,
        help_text="For a folder or an archive: “guides/”, “.md”. Empty takes all documents.",
    )
    name = forms.CharField(
        label="Name of these chunks",
        required=False,
        max_length=200,
        help_text="Empty: named after how they are cut. The same name goes on with the same set.",
    )
    strategy = forms.ChoiceField(
        label="Where to cut", choices=[*STRATEGIES.items()], initial=RECURSIVE
    )
    unit = forms.ChoiceField(label="Measured in", required=False)
    size = forms.IntegerField(
        label="A chunk has at most so many", min_value=SHORTEST, max_value=LONGEST, initial=SIZE
    )
    overlap = forms.IntegerField(
        label="Of these, repeated from the chunk before",
        min_value=0,
        max_value=LONGEST,
        initial=OVERLAP,
        help_text="At most half of it. A sentence at a border is then whole in one of the two.",
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        known = KnownTokenizer.objects.order_by("name").values_list("pk", "name")
        tokens = [(str(pk), f"tokens of {name}") for pk, name in known]
        self.fields["unit"].choices = [("", CHARACTERS), *tokens]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            return data
        try:
            unit = TOKENS if data["unit"] else CHARACTERS
            self.settings = Settings(
                data["strategy"], data["size"], unit, data["overlap"], data["unit"]
            )
            self.settings.check_order()
        except CorpusError as error:
            self.add_error("overlap", str(error))
        return data


def as_initial(how: Settings) -> dict[str, Any]:
    """Return what the form shows where chunks were cut like this before."""
    told = {"strategy": how.strategy, "size": how.size, "overlap": how.overlap}
    return told | {"unit": how.tokenizer}


class BringForm(forms.Form):
    """Files of chunks that the earlier pipeline wrote."""

    sent = ManyFilesField(label="Files that end with _chunks.json, or a zip of them")
    name = forms.CharField(label="Name of these chunks", max_length=200, initial="Brought chunks")

    def clean_sent(self) -> list[tuple[str, bytes]]:
        sent = self.cleaned_data["sent"]
        if sum(file.size for file in sent) > MOST_BYTES:
            raise forms.ValidationError(f"Together they may have {MOST_BYTES >> 20} MiB.")
        return [(file.name, file.read()) for file in sent]
