"""The rows and helpers that every app shares."""

from __future__ import annotations

from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "otto_web.lib"
    label = "otto"
