"""Numbers a run's rows, so that a reader who knows the last number misses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from otto_web.lib.work.claims import LostLease
from training_app.events import notify_run_after_commit
from training_app.models import RunEvent


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One line of a run's history, before it has its number."""

    kind: str
    detail: str = ""
    actor: str = ""
    from_state: str = ""
    to_state: str = ""


def take_numbers(run_id: UUID, count: int, *, fence: int | None = None) -> int:
    """Return the first of `count` fresh numbers; with a fence, only to the attempt that owns it.

    The row stays locked until the transaction ends, so numbers become visible in order.
    """
    owned = "" if fence is None else " AND fence = %s AND state = 'running'"
    values: list[Any] = [count, run_id] + ([] if fence is None else [fence])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE training_app_run SET seq = seq + %s WHERE id = %s{owned} RETURNING seq",  # noqa: S608
            values,
        )
        row = cursor.fetchone()
    if row is None:
        raise LostLease("Another attempt owns this run.")
    return int(row[0]) - count + 1


def add_event(run_id: UUID, event: NewEvent, *, fence: int | None = None) -> int:
    """Write one line of history in the caller's transaction, and tell who watches after it."""
    seq = take_numbers(run_id, 1, fence=fence)
    RunEvent.objects.create(
        run_id=run_id,
        seq=seq,
        kind=event.kind,
        actor=event.actor,
        from_state=event.from_state,
        to_state=event.to_state,
        detail=event.detail,
    )
    notify_run_after_commit(run_id, seq)
    return seq
