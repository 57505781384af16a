"""`manage.py backup FILE`: people, rows, files and key in one file, while OTTO runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from otto_web.backup import BackupError, take_backup
from otto_web.lib.words import filesize
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Write everything into one file that only you can read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        with servers_for_command("backup", tell=self.stderr.write):
            try:
                take_backup(target, say=self.stdout.write)
            except (BackupError, OSError) as error:
                raise CommandError(str(error)) from error
        size = filesize(target.stat().st_size)
        self.stdout.write(f"{target}, {size}. It holds the secret key: keep it like a password.")
