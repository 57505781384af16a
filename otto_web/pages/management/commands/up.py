"""`manage.py up`: everything on this machine, in the foreground, until Ctrl-C."""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from otto_web.own_files import refuse_unwritable
from otto_web.pages.services.first_admin import NAME
from otto_web.reachable import EVERYWHERE, address_names
from otto_web.servers import state
from otto_web.servers.errors import ServersError
from otto_web.servers.lock import Owner, ServersLock
from otto_web.services_file import read_services
from otto_web.up import Installation

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):  # noqa: N818 - a wish, not an error
    """Somebody asked OTTO to stop."""


def _ask_to_stop(number: int, frame: Any) -> None:
    for stop in STOP_SIGNALS:
        signal.signal(stop, signal.SIG_IGN)  # stopping is under way; a second ask changes nothing
    raise StopAsked


class Command(BaseCommand):
    help = "Start OTTO on this machine; Ctrl-C stops it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for the team's network")
        parser.add_argument("--port", type=int, default=8000, help="this one, or the next free one")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, _ask_to_stop)
        refuse_unwritable(settings.OTTO_VAR_DIR, settings.OTTO_DATA_DIR)
        lock = ServersLock(settings.OTTO_RUN_DIR)
        try:
            self._take(lock)
            self._run(options["host"], options["port"])
        except StopAsked:
            self.say("Stopped.")
        finally:
            lock.release()

    def say(self, line: str) -> None:
        """Print; a terminal that has gone away is no reason to leave anything running."""
        with contextlib.suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()

    def _take(self, lock: ServersLock) -> None:
        if lock.wait("up", tell=self._tell_waiting) is not None:
            address = read_services(settings.OTTO_RUN_DIR).get("address", "in another terminal")
            raise CommandError(f"OTTO runs already: {address}")
        if ended := state.end_orphans(settings.OTTO_RUN_DIR):
            self.say(f"An earlier OTTO was killed; {ended} processes it left behind were stopped.")

    def _tell_waiting(self, owner: Owner) -> None:
        self.say(
            f"`manage.py {owner.name}` (process {owner.pid}) uses the servers; waiting for it."
        )

    def _run(self, host: str, port: int) -> None:
        began = time.monotonic()
        self.say("Starting OTTO …")
        installation = Installation(host, port, say=self.say)
        try:
            password = installation.start()
            self._greet(installation, password, time.monotonic() - began)
            installation.watch()
        except ServersError as error:
            raise CommandError(str(error)) from error
        finally:
            self.say("Stopping …")
            installation.stop()

    def _greet(self, installation: Installation, password: str | None, seconds: float) -> None:
        if ctypes.util.find_library("magic") is None:
            self.say(
                "File types are told by their content alone: install libmagic1 for more of them."
            )
        if installation.host in EVERYWHERE:
            names = ", ".join(address_names(installation.host))
            self.say(f"Open to the network under these names: {names}")
        self.say(f"Ready after {seconds:.1f} s. Logs: {settings.OTTO_LOG_DIR}. Ctrl-C stops it.")
        self.say(f"OTTO: {installation.address}")
        if password:
            self.say(f"Sign in as {NAME} with the first password {password}")
            python = os.path.relpath(sys.executable)
            self.say(f"Set your own with: {python} manage.py changepassword {NAME}")
