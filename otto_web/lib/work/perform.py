"""Doing one piece of work from its claim to its end, whatever happens on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings

from otto_web.lib.disk import disk_words
from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.work.claims import LostLease, claim, fail, give_back, lose
from otto_web.lib.work.keeper import Lease, kept
from otto_web.lib.work.rows import Work

log = logging.getLogger(__name__)
Kind = TypeVar("Kind", bound=Work)
REFUSED, FAULT = "refused", "own_fault"
UNEXPECTED = "An unexpected fault; see the log."


def perform(
    kind: type[Kind],
    pk: object,
    do: Callable[[Kind, Lease], None],
    *,
    refusals: tuple[type[Exception], ...],
    stalled_seconds: float | None = None,
    take: Callable[[Any], Kind | None] | None = None,
) -> bool:
    """Claim a row, keep its lease and do the work; False when it came to no end here.

    `do` finishes the row itself, in one transaction with what it made. An exception of `refusals`
    fails the row with its sentence; a database that is away loses the attempt; a disk that is full
    or read-only is waited for; any other exception is a fault of ours, which the kind's policy
    tries again or ends. `take` claims where more than the row decides whether it may begin.
    """
    row = take(pk) if take else claim(kind, pk)
    if row is None:
        return False
    try:
        with kept(row, stalled_seconds=stalled_seconds) as lease:
            do(row, lease)
    except LostLease:
        log.info("%s was taken over or is no longer wanted", row)
        return False
    except refusals as error:
        with suppress(LostLease):
            fail(row, REFUSED, str(error))
    except BaseException as error:
        words = disk_words(error)
        with suppress(LostLease, *DATABASE_AWAY):  # what cannot be given back ends with its lease
            _wait_for_disk(row, error, words) if words else _let_go(row, error)
        if words:
            return False
        raise
    return True


def _wait_for_disk(row: Work, error: BaseException, words: str) -> None:
    log.warning("%s waits for the disk: %s", row, error)
    pause = timedelta(seconds=settings.OTTO_DISK_LOOK_SECONDS)
    message = f"{words}; this goes on by itself when it takes files again."
    give_back(row, pause=pause, attempts=0, reason="disk_full", message=message)


def _let_go(row: Work, error: BaseException) -> None:
    if not isinstance(error, Exception):  # the worker was told to go: nobody's fault
        give_back(row, counts=False)
    elif isinstance(error, DATABASE_AWAY) or row.retry.after_faults:
        lose(row)
    else:
        fail(row, FAULT, UNEXPECTED)
