"""The rows and helpers that every app shares."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from otto_web.lib.patience import wait_for_ever


class LibConfig(AppConfig):
    name = "otto_web.lib"
    label = "otto"

    def ready(self) -> None:
        pre_migrate.connect(wait_for_ever, sender=self)
