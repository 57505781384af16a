"""Keeps an import's lease while its worker works, and lets go when nothing moves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from datasets_app.models import Upload
from datasets_app.services.imports import LostFenceError, release_import, renew_lease
from otto_web.lib.patience import DATABASE_AWAY

log = logging.getLogger(__name__)
STALLED_SECONDS = 300.0
LOOK_SECONDS = 2.0


@dataclass(slots=True)
class _Pulse:
    """When the work last moved, whether it is over, and whether it is still wanted."""

    moved_at: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)
    is_lost: bool = False

    def touch(self) -> None:
        if self.is_lost:
            raise LostFenceError("This import was taken over or stopped.")
        self.moved_at = time.monotonic()


@contextmanager
def kept_lease(upload: Upload) -> Iterator[Callable[[], None]]:
    """Renew the lease in the background as long as the yielded function is called now and then.

    The function raises LostFenceError soon after the upload was taken back or taken over.
    Whatever ends the work early lets the next worker begin at once.
    """
    pulse = _Pulse()
    keeper = threading.Thread(target=_keep, args=(upload, pulse), daemon=True)
    keeper.start()
    try:
        yield pulse.touch
    except BaseException:
        pulse.over.set()
        _release(upload)
        raise
    finally:
        pulse.over.set()
        keeper.join()


def _release(upload: Upload) -> None:
    """Let go, unless the database is away: then the lease ends by itself."""
    try:
        release_import(upload)
    except DATABASE_AWAY:
        log.warning("the import of upload %s could not be released", upload.pk)
        connection.close()


def _keep(upload: Upload, pulse: _Pulse) -> None:
    try:
        while not pulse.over.wait(min(LOOK_SECONDS, settings.OTTO_LEASE_SECONDS / 3)):
            if time.monotonic() - pulse.moved_at > STALLED_SECONDS:
                return
            if not _renewed(upload):
                pulse.is_lost = True
                return
    finally:
        connection.close()  # every thread has a connection of its own


def _renewed(upload: Upload) -> bool:
    try:
        return renew_lease(upload.pk, upload.fence)
    except DATABASE_AWAY:
        connection.close()
        return True  # the database is away: the next round tries again
