"""Notifications of the training rooms: they carry an id and a sequence number, never data."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from otto_web.lib import live


def run_group(run_id: UUID | str) -> str:
    """Return the name of the group that hears about one run."""
    return f"run.{run_id}"


def notify_run(run_id: UUID, seq: int) -> None:
    """Tell everybody who watches this run that its rows changed."""
    live.notify(run_group(run_id), "run.changed", run=str(run_id), seq=seq)


def notify_run_after_commit(run_id: UUID, seq: int) -> None:
    """Tell them once the rows are there for everybody; nothing that fails then undoes them.

    A function of its own: Django names the one that failed, which a partial cannot be.
    """

    def tell() -> None:
        notify_run(run_id, seq)

    transaction.on_commit(tell, robust=True)
