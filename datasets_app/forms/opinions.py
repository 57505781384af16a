"""What a curator says to ask for a second opinion."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Q

from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.opinions import Sample
from otto_web.lib.access import Role

USUAL_SIZE, MOST_ROWS = 50, 1_000
LARGEST_SEED = 2**31 - 1


class OpinionForm(forms.Form):
    """How many decided rows, who judges them, and the seed that draws them."""

    size = forms.IntegerField(
        label="How many conversations",
        min_value=1,
        max_value=MOST_ROWS,
        initial=USUAL_SIZE,
        help_text="Fewer where fewer were decided. From about 30 on the figure says something.",
    )
    judge = forms.ChoiceField(label="Who judges them", required=False)
    seed = forms.IntegerField(
        label="Seed",
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="The same one draws the same conversations, as long as nothing is decided anew.",
    )

    def __init__(self, *args: Any, asks: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["seed"].initial = secrets.randbelow(10_000)
        roles = [role.group for role in Role if role >= Role.CURATOR]
        active = User.objects.filter(is_active=True).exclude(pk=asks.pk).order_by("username")
        curates = Q(groups__name__in=roles) | Q(is_superuser=True)
        self.people = {str(one.pk): one for one in active.filter(curates).distinct()}
        field = self.fields["judge"]
        named = [(pk, one.get_full_name() or one.username) for pk, one in self.people.items()]
        field.choices = [("", "anybody who curates"), *named]  # type: ignore[attr-defined]

    def sample(self, rows: RowFilter) -> Sample:
        """Return what is drawn from these rows; the form is valid."""
        told = self.cleaned_data
        return Sample(told["size"], told["seed"], rows, self.people.get(told["judge"]))
