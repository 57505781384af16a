"""Addresses of pages that belong to other rooms."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def door(name: str) -> str:
    """Return the address of a page of another room, or nothing where it is not installed."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
