"""Reads a page as a browser shows it: white space between words is one space."""

from __future__ import annotations

from django.http import HttpResponse


def page_text(answer: HttpResponse) -> str:
    return " ".join(answer.text.split())
