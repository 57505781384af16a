"""Keeps a lease in the background while its holder works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.work.claims import LostLease, renew
from otto_web.lib.work.rows import Work

log = logging.getLogger(__name__)
BEATS_PER_LEASE = 4
LONGEST_BEAT_SECONDS = 2.0  # so soon a worker hears that its work is no longer wanted


@dataclass(slots=True)
class Lease:
    """The right to work on a row for now."""

    moved_at: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)
    is_lost: bool = False

    def touch(self) -> None:
        """Say that the work moves; raises LostLease soon after it was taken away."""
        if self.is_lost:
            raise LostLease("This work was taken over or stopped.")
        self.moved_at = time.monotonic()


@contextmanager
def kept(row: Work, *, stalled_seconds: float | None = None) -> Iterator[Lease]:
    """Renew the lease until the block ends, somebody else has the work, or nothing moves.

    The work itself names its fence when it writes: a lost lease does not stop it. With
    `stalled_seconds`, work that is not touched for so long is let go, and another takes it; work
    that moves again before that keeps what it has.
    """
    lease = Lease()
    thread = threading.Thread(
        target=_keep, args=(row, lease, stalled_seconds), name="lease", daemon=True
    )
    thread.start()
    try:
        yield lease
    finally:
        lease.over.set()
        thread.join()


def _keep(row: Work, lease: Lease, stalled_seconds: float | None) -> None:
    pause = min(LONGEST_BEAT_SECONDS, row.lease_seconds() / BEATS_PER_LEASE)
    try:
        while not lease.over.wait(pause):
            quiet = time.monotonic() - lease.moved_at
            if stalled_seconds is not None and quiet > stalled_seconds:
                continue
            try:
                renew(row)
            except LostLease:
                lease.is_lost = True
                return
            except DATABASE_AWAY as error:  # the next beat tries again
                log.warning("a lease could not be renewed: %s", error)
                connection.close()
    finally:
        connection.close()  # every thread has a connection of its own
