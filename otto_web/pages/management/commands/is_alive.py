"""`manage.py is_alive KIND`: the health check of a container that serves no pages."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db.models.functions import Now

from otto_web.lib.beat import host_name
from otto_web.lib.models import ProcessBeat, ProcessKind

MISSED_BEATS = 4


class Command(BaseCommand):
    help = "Exit 0 when a process of the kind reports itself from this machine, else 1."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=ProcessKind.values)

    def handle(self, *args: Any, **options: Any) -> None:
        limit = timedelta(seconds=MISSED_BEATS * settings.OTTO_PROCESS_BEAT_SECONDS)
        beats = ProcessBeat.objects.filter(host=host_name(), kind=options["kind"])
        sys.exit(0 if beats.filter(seen_at__gt=Now() - limit).exists() else 1)
