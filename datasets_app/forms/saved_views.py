"""How a person names a view."""

from __future__ import annotations

from django import forms


class ViewForm(forms.Form):
    """A name, and whether others see the view too."""

    name = forms.CharField(max_length=60)
    shared = forms.BooleanField(required=False)
