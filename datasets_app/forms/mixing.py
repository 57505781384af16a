"""What people may type about a mix of versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.mixing import check_shares
from datasets_app.models import Version
from datasets_app.services.mixing import Mix

FIELDS = 4  # parts that the form shows; more of them by the command


class MixForm(forms.Form):
    """Shares of a version and of some others."""

    rows = forms.IntegerField(
        min_value=2,
        max_value=10_000_000,
        required=False,
        label="Conversations in all",
        help_text="Left empty: as many as these shares allow.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2_147_483_647,
        label="Seed",
        help_text="The same versions, shares and seed give the same mix.",
    )
    name = forms.CharField(max_length=180, required=False, label="Name")
    note = forms.CharField(
        max_length=2_000, required=False, widget=forms.Textarea(attrs={"rows": 3}), label="Note"
    )

    def __init__(self, version: Version, others: Sequence[Version], data: Any = None) -> None:
        super().__init__(data, initial={"seed": version.split_seed})
        self._known = {str(one.pk): one for one in (version, *others)}
        for place in range(1, FIELDS + 1):
            self.fields[f"version_{place}"] = forms.ChoiceField(
                choices=[("", "none"), *((pk, pk) for pk in self._known)],
                required=False,
                initial=str(version.pk) if place == 1 else "",
            )
            self.fields[f"share_{place}"] = forms.FloatField(
                min_value=0,
                max_value=100,
                required=False,
                initial=50 if place < FIELDS - 1 else None,
            )

    @property
    def parts(self) -> list[tuple[Any, Any]]:
        """Return the fields of each part: version and share."""
        places = range(1, FIELDS + 1)
        return [(self[f"version_{place}"], self[f"share_{place}"]) for place in places]

    @property
    def figures(self) -> list[Any]:
        return [self["rows"], self["seed"]]

    @property
    def known(self) -> list[Version]:
        return list(self._known.values())

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or {}
        if not self.errors:
            self._check(wanted)
        return wanted

    def _check(self, wanted: dict[str, Any]) -> None:
        chosen = []
        for place in range(1, FIELDS + 1):
            pk, share = wanted[f"version_{place}"], wanted[f"share_{place}"]
            if pk and not share:
                self.add_error(f"share_{place}", "Say which share of the mix this version gives.")
            elif pk:
                chosen.append((self._known[pk], share))
        if self.errors:
            return
        if len({one.pk for one, _ in chosen}) < len(chosen):
            self.add_error(None, "A version is chosen twice. Give it one share.")
            return
        try:
            check_shares([share for _, share in chosen])
        except CorpusError as error:
            self.add_error(None, str(error))
        wanted["parts"] = chosen

    def mix(self) -> Mix:
        """Return what is wanted; the form is valid."""
        wanted = self.cleaned_data
        return Mix(
            parts=wanted["parts"],
            rows=wanted["rows"],
            seed=wanted["seed"],
            name=wanted["name"],
            note=wanted["note"].strip(),
        )
