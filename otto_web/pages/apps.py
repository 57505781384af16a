"""People, sign-in and status."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "otto_web.pages"
    label = "otto_pages"

    def ready(self) -> None:
        """Let tasks find their broker; not sooner, since pure packages import no framework."""
        importlib.import_module("otto_web.celery")
