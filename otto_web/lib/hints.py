"""Wake-up hints for workers: sent after the commit, never the record of work."""

from __future__ import annotations

from collections.abc import Iterable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from otto_web.lib import delays


def hint(job: str, pk: object) -> None:
    """Wake a worker for a row once the transaction is committed; `otto_web.jobs` names the jobs.

    A hint that cannot be sent is logged and forgotten: the committed row is the order, and the
    reaper hints again.
    """
    task = current_app.tasks[job]

    def send() -> None:  # a named function, because Django's log line asks for its name
        try:
            task.delay(str(pk))
        except OperationalError:
            delays.note_failure()
            raise
        delays.note_success()

    transaction.on_commit(send, robust=True)


def hint_each(job: str, pks: Iterable[object]) -> None:
    """Wake workers for many rows, outside of a transaction, until Redis does not answer once.

    The reaper hints at the others at its next look: a Redis that hangs may not hold it up.
    """
    for pk in pks:
        hint(job, pk)
        if delays.is_delayed():
            return
