"""People, sign-in, home and status."""

from __future__ import annotations

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "otto_web.pages"
    label = "otto_pages"
