"""Claiming, keeping and ending work: each is one conditional update that names the fence."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from django.db.models import DateTimeField, F, Func, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now

from otto_web.lib.patience import each_by_itself
from otto_web.lib.work.rows import Fenced, Work, waiting
from otto_web.lib.work.states import State

Row = TypeVar("Row", bound=Fenced)
Leased = TypeVar("Leased", bound=Work)
AT_ONCE = 100
WORKER_LOST = "worker_lost"


class LostLease(Exception):  # noqa: N818 - a fact, and nobody's mistake
    """Somebody else has the work now, or nobody wants it any more: write nothing more."""


def held(row: Row) -> QuerySet[Row]:
    """Return the row for as long as this claim holds it."""
    rows: QuerySet[Row] = type(row)._default_manager.all()  # noqa: SLF001
    return rows.filter(pk=row.pk, fence=row.fence, state=State.RUNNING)


def claim(kind: type[Leased], pk: object) -> Leased | None:
    """Take work that waits, or that its worker has left; None when there is nothing to take."""
    rows: QuerySet[Leased] = kind._default_manager.filter(pk=pk)  # noqa: SLF001
    take_back(rows, at_once=True)
    return rows.get() if take(rows.filter(waiting())) else None


def take(rows: QuerySet[Row], **changes: Any) -> int:
    """Begin an attempt at those of these rows that are queued; return how many they were."""
    lease = {"lease_until": _lease_end(rows.model)} if issubclass(rows.model, Work) else {}
    return rows.filter(state=State.QUEUED).update(
        state=State.RUNNING,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        started_at=Coalesce("started_at", Now()),
        reason="",
        message="",
        **lease,
        **changes,
    )


def take_back(rows: QuerySet[Leased], *, at_once: bool = False) -> None:
    """Lose, some at a time, what is held by workers whose lease has ended."""
    left = _expired(rows).order_by("lease_until").values_list("pk", flat=True)
    each_by_itself(list(left[:AT_ONCE]), partial(_take_one_back, rows, at_once=at_once))


def _take_one_back(rows: QuerySet[Leased], pk: object, *, at_once: bool) -> None:
    row = seize(rows, pk)
    if row is not None:
        with suppress(LostLease):
            lose(row, at_once=at_once)


def seize(rows: QuerySet[Leased], pk: object) -> Leased | None:
    """Take the place of a holder whose lease has ended; None when it is back meanwhile."""
    mine = rows.filter(pk=pk)
    seized = _expired(mine).update(fence=F("fence") + 1, lease_until=_lease_end(rows.model))
    return mine.get() if seized else None


def _expired(rows: QuerySet[Leased]) -> QuerySet[Leased]:
    return rows.filter(state=State.RUNNING, lease_until__lt=Now())


def renew(row: Work, **changes: Any) -> None:
    """Keep the work for another lease, and change the row on the way."""
    _write(row, lease_until=_lease_end(type(row)), **changes)


def finish(row: Fenced, state: State = State.SUCCEEDED, **changes: Any) -> None:
    """Give the work its last state."""
    _write(row, state=state, finished_at=Now(), **_no_lease(row), **changes)


def fail(row: Fenced, reason: str, message: str, **changes: Any) -> None:
    """End the work without a result; the message tells a person what to do."""
    finish(row, State.FAILED, reason=reason, message=message, **changes)


def give_back(
    row: Fenced, *, pause: timedelta = timedelta(), counts: bool = True, **changes: Any
) -> None:
    """Queue the work again for whoever comes after this pause.

    An attempt that ended for no fault of the work, as with a worker that was told to go, does not
    count.
    """
    if not counts:
        changes["attempts"] = Greatest(F("attempts") - 1, 0)
    _write(row, state=State.QUEUED, not_before=Now() + pause, **_no_lease(row), **changes)


def lose(row: Work, *, at_once: bool = False) -> None:
    """End an attempt that came to nothing, as the kind's own policy says.

    How often it was tried stands in the database: what the object says of progress may have been
    written in a transaction that came to nothing too.
    """
    retry = row.retry
    attempts = held(row).values_list("attempts", flat=True).first()
    if attempts is None:
        raise LostLease(f"{row} is in other hands.")
    if retry.lost != State.QUEUED:
        finish(row, retry.lost, reason=WORKER_LOST, message=retry.message)
    elif attempts >= retry.most:
        fail(row, WORKER_LOST, retry.message)
    else:
        give_back(row, pause=timedelta() if at_once else retry.pause(attempts))


def order_anew(rows: QuerySet[Leased], **changes: Any) -> int:
    """Queue work that a person wants anew, from its first attempt; an old holder loses it."""
    columns = {"state": State.QUEUED, "attempts": 0, "reason": "", "message": "", **changes}
    columns |= dict.fromkeys(("not_before", "started_at", "finished_at", "lease_until"))
    return rows.update(fence=F("fence") + 1, queued_at=Now(), **columns)


def cancel(rows: QuerySet[Row], reason: str, **changes: Any) -> int:
    """End work that nobody wants any more, whatever its state; a holder loses it."""
    columns = {"reason": reason, "message": "", "finished_at": Now()}
    columns |= {"lease_until": None} if issubclass(rows.model, Work) else {}
    return rows.update(state=State.CANCELLED, fence=F("fence") + 1, **columns | changes)


def _write(row: Fenced, **columns: Any) -> None:
    if not held(row).update(**columns):
        raise LostLease(f"{row} is in other hands.")
    for name, value in columns.items():
        if not hasattr(value, "resolve_expression"):
            setattr(row, name, value)


def _no_lease(row: Fenced) -> dict[str, None]:
    return {"lease_until": None} if isinstance(row, Work) else {}


class ClockTime(Func):
    """The time at which a row is written, which may have been locked for long until then."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def _lease_end(kind: type[Work]) -> Any:
    return ClockTime() + timedelta(seconds=kind.lease_seconds())
