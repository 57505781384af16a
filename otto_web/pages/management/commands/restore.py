"""`manage.py restore FILE`: bring back what `manage.py backup` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from otto_web.backup import BackupError, restore_backup
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Replace what is here by a backup; OTTO must be stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="although people are here")

    def handle(self, *args: Any, **options: Any) -> None:
        with servers_for_command("restore", tell=self.stderr.write) as servers:
            if servers.is_in_use:
                raise CommandError("OTTO runs here. Stop it, then restore.")
            call_command("migrate", verbosity=0, interactive=False)
            if User.objects.exists() and not options["replace"]:
                raise CommandError(
                    "People are here already. Restore into an empty installation, or add "
                    "--replace: the database is replaced for good, the files are moved aside."
                )
            try:
                aside = restore_backup(options["file"], say=self.stdout.write)
            except (BackupError, OSError) as error:
                raise CommandError(str(error)) from error
            call_command("migrate", verbosity=0, interactive=False)
        if aside:
            self.stdout.write(f"The files that were here are in {aside}.")
        self.stdout.write("Restored. People, roles and passwords are those of the backup.")
