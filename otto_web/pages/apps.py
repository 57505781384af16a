"""People, sign-in and status."""

from __future__ import annotations

import importlib
from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError
from django.db import connections
from django.db.models.signals import pre_migrate

from otto_web.services_file import OLDEST_POSTGRES


class PagesConfig(AppConfig):
    name = "otto_web.pages"
    label = "otto_pages"

    def ready(self) -> None:
        """Let tasks find their broker; not sooner, since pure packages import no framework."""
        importlib.import_module("otto_web.celery")
        pre_migrate.connect(_refuse_old)


def _refuse_old(*, using: str, **_: Any) -> None:
    """Change nothing in a database that is too old, whoever named it."""
    major = connections[using].pg_version // 10_000  # type: ignore[attr-defined]
    if major < OLDEST_POSTGRES:
        raise CommandError(
            f"The database is PostgreSQL {major}; OTTO needs {OLDEST_POSTGRES} or newer. Nothing "
            "was changed. Name a newer one in DATABASE_URL, or leave it out to use OTTO's own."
        )
