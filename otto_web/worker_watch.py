"""Watches a Celery worker from within: one that spins, or that has lost its children, ends itself.

A descriptor that was closed while a copy of it lives on stays in the event loop's epoll set and can
be taken out no more: every wait returns at once, and the worker burns a core until it is started
again. The known way there is closed (`drop_inherited_connections` in `otto_web/worker.py`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import psutil
from django.conf import settings

log = logging.getLogger(__name__)
MOST_TURNS = 200  # of the event loop a second: an idle loop makes a few, one that spins thousands
LOOKS = 3  # bad ones in a row, before the worker gives up


class Watch(threading.Thread):
    """Counts the turns of the worker's event loop and looks for its children, now and then."""

    def __init__(self, leave: Callable[[], None]) -> None:
        super().__init__(name="watch", daemon=True)
        self._leave = leave
        self._turns = self._bad_looks = 0
        self._over = threading.Event()

    def attach(self, sender: Any, **_: Any) -> None:
        """Count the turns of the loop of this consumer; the caller is the signal `worker_ready`."""
        sender.hub.on_tick.add(self.turn)
        if self.ident is None:
            self.start()

    def turn(self) -> None:
        """Note one turn; called by the loop itself, so it does nothing else."""
        self._turns += 1

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        seconds = settings.OTTO_WORKER_LOOK_SECONDS
        while not self._over.wait(seconds):
            turns, self._turns = self._turns, 0
            if self.is_hopeless(turns / seconds, children=len(psutil.Process().children())):
                self._leave()
                return

    def is_hopeless(self, turns_per_second: float, *, children: int) -> bool:
        """Judge one look; True when it is the last of several bad ones in a row."""
        is_bad = turns_per_second > MOST_TURNS or children == 0
        self._bad_looks = self._bad_looks + 1 if is_bad else 0
        if self._bad_looks < LOOKS:
            return False
        log.error(
            "this worker makes %.0f turns a second and has %d children; it ends and is started"
            " again",
            turns_per_second,
            children,
        )
        return True
