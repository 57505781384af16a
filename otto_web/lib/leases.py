"""Keeping a lease while long work goes on in this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


@contextmanager
def kept(renew: Callable[[], bool]) -> Iterator[None]:
    """Call `renew` a few times per lease until the block ends, or until it says False.

    The work itself must name its fence when it writes: a lost lease does not stop it.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(settings.OTTO_LEASE_SECONDS / 4):
            try:
                if not renew():
                    break
            except DatabaseError as error:
                log.warning("a lease could not be renewed: %s", error)
                connection.close()
        connection.close()

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
