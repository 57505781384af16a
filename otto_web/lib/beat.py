"""Lets each process of the installation say that it lives, and hear that it should go."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import psutil
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, models
from django.db.models.functions import Now

from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState

log = logging.getLogger(__name__)


@cache
def host_name() -> str:
    return socket.gethostname()


def is_draining() -> bool:
    """Say whether this process, or the worker that it belongs to, was asked to finish."""
    family = (os.getpid(), os.getppid())
    return ProcessBeat.objects.filter(host=host_name(), pid__in=family, drain=True).exists()


class Beat(threading.Thread):
    """Writes this process's row again and again; calls `on_drain` once when asked to finish.

    `doing` tells in a few words what the process works on, or "" while it is idle. The row goes
    away with `stop()`; after a kill it merely grows old.
    """

    def __init__(
        self,
        kind: ProcessKind,
        *,
        on_drain: Callable[[], None],
        doing: Callable[[], str] = str,
        device: str = "cpu",
    ) -> None:
        super().__init__(name="beat", daemon=True)
        self.kind, self.device = kind, device
        self.on_drain, self.doing = on_drain, doing
        self.pid_started_at = psutil.Process().create_time()
        self._wake, self._over = threading.Event(), threading.Event()
        self._drain_asked = self._drain_told = False

    def ask_to_drain(self) -> None:
        """Mark the process as going, at once; safe in a signal handler."""
        self._drain_asked = True
        self._wake.set()

    def stop(self) -> None:
        """Take the row away and end the thread; the caller waits a moment for that."""
        self._over.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=3)

    def run(self) -> None:
        while not self._over.is_set():
            self._try(self._once)
            self._wake.wait(settings.OTTO_PROCESS_BEAT_SECONDS)
            self._wake.clear()
        self._try(self._forget)
        connection.close()

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except DatabaseError as error:
            log.warning("this process could not report itself: %s", error)
            connection.close()

    def _once(self) -> None:
        self._write()
        if self._drain_told or not self._rows().filter(drain=True).exists():
            return
        self._drain_told = True
        log.info("asked to finish")
        self.on_drain()

    def _write(self) -> None:
        doing = self.doing()
        draining = self._drain_asked or self._drain_told
        busy = ProcessState.BUSY if doing else ProcessState.IDLE
        values: dict[str, Any] = {
            "state": ProcessState.DRAINING if draining else busy,
            "doing": doing[:200],
        }
        if draining:
            values["drain"] = True
        if self._rows().update(seen_at=Now(), **values):
            return
        ProcessBeat.objects.create(
            kind=self.kind,
            device=self.device,
            host=host_name(),
            pid=os.getpid(),
            pid_started_at=self.pid_started_at,
            seen_at=Now(),
            **values,
        )

    def _rows(self) -> models.QuerySet[ProcessBeat]:
        return ProcessBeat.objects.filter(
            host=host_name(), pid=os.getpid(), pid_started_at=self.pid_started_at
        )

    def _forget(self) -> None:
        self._rows().delete()
