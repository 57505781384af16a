"""`manage.py run_reaper`: expired leases, unclaimed work, leftovers; one at a time."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection

from otto_web import reaper
from otto_web.lib.beat import Beat
from otto_web.lib.models import ProcessKind
from otto_web.lib.patience import REAPER, be_patient

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Look for work that was left lying, and clean up; needs no Redis."

    def handle(self, *args: Any, **options: Any) -> None:
        be_patient(REAPER)
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: over.set())
        beat = Beat(ProcessKind.REAPER, on_drain=over.set)
        beat.start()
        sweeps = reaper.find_sweeps()
        while not over.is_set():
            self._tick(sweeps)
            over.wait(settings.OTTO_REAPER_SECONDS)
        beat.stop()
        connection.close()

    def _tick(self, sweeps: list[reaper.Sweep]) -> None:
        try:
            if reaper.take_turn():
                reaper.tick(sweeps)
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
            connection.close()
