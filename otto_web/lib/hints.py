"""Wake-up hints for workers: sent after the commit, never the record of work."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from otto_web.lib import delays

log = logging.getLogger(__name__)
MOST_UNHEARD = 100  # hints in one queue, beyond which the reaper sends no more


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


def hint_again(job: str, pks: Sequence[object]) -> None:
    """Wake workers for rows that wait, outside of a transaction, if more hints are of any use.

    Where nobody hears them, the queue may not grow with every look of the reaper. Redis is left
    alone for this look once it does not answer: one that hangs may not hold the reaper up.
    """
    if not pks or _unheard(job) >= MOST_UNHEARD:
        return
    for pk in pks:
        hint(job, pk)
        if delays.is_delayed():
            return


def _unheard(job: str) -> int:
    """Return how many hints lie in the queue of this job; as many as may be if nobody knows."""
    queue = current_app.conf.task_routes[job]["queue"]
    try:
        with current_app.connection_for_write() as connection:
            found: int = connection.default_channel.queue_declare(queue).message_count
    except (OperationalError, RedisError, OSError) as error:
        delays.note_failure()
        log.warning("no hint is sent, because Redis does not answer: %s", error)
        return MOST_UNHEARD
    return found
