"""Wake-up hints for workers: sent after the commit, never the record of work."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

from otto_web.lib import delays


def hint(task: Any, *ids: object) -> None:
    """Wake a worker once the transaction is committed.

    A hint that cannot be sent is logged and forgotten: the committed row is the order, and the
    reaper hints again.
    """

    def send() -> None:  # a named function, because Django's log line asks for its name
        try:
            task.delay(*map(str, ids))
        except OperationalError:
            delays.note_failure()
            raise
        delays.note_success()

    transaction.on_commit(send, robust=True)
