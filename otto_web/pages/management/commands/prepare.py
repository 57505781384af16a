"""`manage.py prepare`: bring the database up to date and make the first admin, for containers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from otto_web.pages.services.first_admin import NAME, create_first_admin
from training_app.services.bases import order_missing


class Command(BaseCommand):
    help = "Migrate the database; create the first admin when there is none."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=1, interactive=False)
        if settings.OTTO_BASES:
            order_missing()
        if password := create_first_admin():
            self.stdout.write(f"Sign in as {NAME} with the first password {password}")
