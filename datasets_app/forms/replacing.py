"""What people type to have words replaced."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.cleaning import SWITCHES, Cleaning
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.replacing import BOTH, LONGEST_PUT, LONGEST_WANTED, SIDES, Replacing


class ReplaceForm(forms.Form):
    """The words, what takes their place, and where; `clean` makes a checked `wanted` of it."""

    find = forms.CharField(
        label="Look for",
        strip=False,
        max_length=LONGEST_WANTED,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
        error_messages={"required": "Say which words to look for."},
    )
    put = forms.CharField(
        label="Put in their place",
        strip=False,
        required=False,
        max_length=LONGEST_PUT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Left empty, the words are removed.",
    )
    side = forms.ChoiceField(
        label="In", choices=list(SIDES.items()), initial=BOTH, widget=forms.RadioSelect
    )
    is_cased = forms.BooleanField(label="Only in these capital and small letters", required=False)
    is_word = forms.BooleanField(
        label="Whole words only",
        required=False,
        help_text="“cat” is then not found in “catalogue”.",
    )

    def clean_find(self) -> str:
        return _one_line_end(self.cleaned_data["find"])

    def clean_put(self) -> str:
        return _one_line_end(self.cleaned_data["put"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.wanted = Replacing(**data)
            except CorpusError as error:
                self.add_error("find", str(error))
        return data


def _one_line_end(text: str) -> str:
    """Browsers send line ends of their own."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class CleanForm(forms.Form):
    """What is to be cleaned; `clean` makes a checked `wanted` of it."""

    switches = forms.MultipleChoiceField(
        label="Take away, or put right",
        choices=[(name, switch.label) for name, switch in SWITCHES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing to clean."},
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self.wanted = Cleaning(tuple(data["switches"]))
        return data

    def rows(self) -> list[tuple[Any, str]]:
        """Return each switch with what it means."""
        hints = [switch.hint for switch in SWITCHES.values()]
        return list(zip(self["switches"], hints, strict=True))
