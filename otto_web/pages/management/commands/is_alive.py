"""`manage.py is_alive KIND`: the health check of a container that serves no pages."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from otto_web.lib.beat import host_name
from otto_web.lib.models import ProcessBeat, ProcessKind


class Command(BaseCommand):
    help = "Exit 0 when a process of the kind reports itself from this machine, else 1."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=ProcessKind.values)

    def handle(self, *args: Any, **options: Any) -> None:
        beats = ProcessBeat.objects.alive().filter(host=host_name(), kind=options["kind"])
        sys.exit(0 if beats.exists() else 1)
