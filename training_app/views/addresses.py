"""Addresses of pages that belong to other rooms."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def address_of(name: str, *args: object) -> str:
    """Return the address of a page of another room, or nothing where it is not installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
