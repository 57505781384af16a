"""What people fill in to have pages fetched."""

from __future__ import annotations

from typing import Any

from django import forms

from datasets_app.corpus.web.addresses import AddressError, normal
from datasets_app.models.web import MOST_DEPTH, MOST_PAGES

MOST_NAMED = 500
LONGEST = 100_000
LARGEST_CERTIFICATES = 1 << 20


class AuthorityForm(forms.Form):
    """The certificate of an authority, as a file."""

    sent = forms.FileField(
        label="Certificate of the authority (PEM)", help_text="A .pem or .crt file, as text."
    )

    def clean_sent(self) -> str:
        sent = self.cleaned_data["sent"]
        if sent.size > LARGEST_CERTIFICATES:
            raise forms.ValidationError("This file is too large for certificates.")
        return str(sent.read().decode("ascii", "replace"))


def named_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a text, one a line. Raises ValidationError that names the line."""
    found: dict[str, None] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line:
            continue
        try:
            found[normal(line if "://" in line else f"https://{line}")] = None
        except AddressError as error:
            raise forms.ValidationError(f"Line {number}: {error}") from error
    if len(found) > MOST_NAMED:
        raise forms.ValidationError(f"At most {MOST_NAMED} addresses at once, please.")
    return tuple(found)


class WebForm(forms.Form):
    """Addresses, one a line, and how far and how fast the pages behind them are followed."""

    addresses = forms.CharField(
        label="Web addresses, one in each line",
        max_length=LONGEST,
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "https://example.org/help/", "spellcheck": "false"}
        ),
        error_messages={"required": "Name at least one address."},
    )
    follows = forms.ChoiceField(
        label="Fetch",
        initial="",
        choices=[("", "these pages only"), ("1", "also the pages of the same site behind them")],
        widget=forms.RadioSelect,
        required=False,
    )
    dataset = forms.CharField(max_length=200, required=False, label="Load into")
    most_pages = forms.IntegerField(
        label="At most so many pages", initial=100, min_value=1, max_value=MOST_PAGES
    )
    most_depth = forms.IntegerField(
        label="Links away from the first page", initial=5, min_value=1, max_value=MOST_DEPTH
    )
    pause_seconds = forms.FloatField(
        label="Seconds between two pages of a host", initial=1.0, min_value=0.2, max_value=60
    )
    page_seconds = forms.FloatField(
        label="Seconds that one page may take", initial=30, min_value=1, max_value=120
    )
    reads_lists = forms.BooleanField(
        label="With the pages behind them, those that the site lists itself (sitemap.xml)",
        initial=True,
        required=False,
    )
    shortest = forms.IntegerField(
        label="Leave out pages with fewer letters", initial=50, min_value=0, max_value=100_000
    )

    is_unchecked = forms.BooleanField(
        label="Do not check the certificates of these sites",
        required=False,
        help_text="Whoever stands between can then read and change their pages. Better: trust the "
        "authority that signed them. The audit trail keeps who chose this.",
    )

    def __init__(self, *args: Any, is_of_admin: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_of_admin:
            del self.fields["is_unchecked"]

    def clean_addresses(self) -> tuple[str, ...]:
        return named_addresses(self.cleaned_data["addresses"])

    def clean_follows(self) -> bool:
        return bool(self.cleaned_data["follows"])

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        named = data.get("addresses", ())
        if not data.get("follows") and len(named) > data.get("most_pages", MOST_PAGES):
            data["most_pages"] = len(named)  # who names pages wants all of them
        return data
