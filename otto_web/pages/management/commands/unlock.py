"""`manage.py unlock`: opens what too many wrong passwords have closed."""

from __future__ import annotations

from typing import Any

from axes.utils import reset
from django.core.management.base import BaseCommand, CommandError, CommandParser

from otto_web.pages.services.locks import counted_for
from otto_web.servers.borrow import servers_for_command


class Command(BaseCommand):
    help = "Let people try to sign in again before the quarter of an hour is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="only this name; without it, everybody")
        parser.add_argument("--address", help="only failures from this address")

    def handle(self, *args: Any, **options: Any) -> None:
        name, address = options["username"], options["address"]
        try:
            address = counted_for(address) if address else None
        except ValueError as error:
            raise CommandError(f"--address: {error}.") from error
        with servers_for_command("unlock", tell=self.stderr.write):
            count = reset(username=name, ip=address)
        who = f"“{name}”" if name else "everybody"
        where = f" from {address}" if address else ""
        if count:
            self.stdout.write(f"Unlocked: {who}{where} may try to sign in again at once.")
        else:
            self.stdout.write(f"Nothing was locked for {who}{where}.")
