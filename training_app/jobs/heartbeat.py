"""The heartbeat: keeps the lease, and brings back what somebody wants of the run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from otto_web.lib.beat import host_name
from training_app.lm.contract import StopReason
from training_app.services.attempts import Claim

_BEAT = """
UPDATE training_app_runlease AS lease
SET beat_at = clock_timestamp(), expires_at = clock_timestamp() + %s * interval '1 second'
FROM training_app_run AS run
WHERE lease.run_id = %s AND lease.fence = %s AND run.id = lease.run_id
  AND run.fence = lease.fence AND run.state = 'running'
RETURNING run.cancel_requested_at IS NOT NULL AND run.cancel_verb <> 'keep',
  run.cancel_requested_at IS NOT NULL,
  clock_timestamp() > run.started_at
    + nullif((run.spec #>> '{train,limit_minutes}')::float8, 0) * interval '1 minute',
  EXISTS (SELECT FROM otto_processbeat WHERE drain AND host = %s AND pid = ANY(%s))
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a beat that found the lease still ours."""

    stop: StopReason | None


class Heartbeat:
    """Beats on a connection of its own, so that nothing the job does can hold a beat up."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._connection: BaseDatabaseWrapper | None = None

    def beat(self) -> Pulse | None:
        """Renew the lease; None when somebody else owns the run, or it is over."""
        claim = self._claim
        pids = [os.getpid(), os.getppid()]
        values: list[Any] = [
            settings.OTTO_LEASE_SECONDS,
            claim.run_id,
            claim.fence,
            host_name(),
            pids,
        ]
        with self._open().cursor() as cursor:
            cursor.execute(_BEAT, values)
            row = cursor.fetchone()
        if row is None:
            return None
        wanted: tuple[StopReason, ...] = ("cancel", "keep", "timeout", "drain")
        return Pulse(next((stop for stop, is_so in zip(wanted, row, strict=True) if is_so), None))

    def stop(self) -> None:
        """Close the connection; the next beat opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> BaseDatabaseWrapper:
        if self._connection is None:
            self._connection = connections["default"].copy()
            with self._connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'; SET statement_timeout = '2s'")
        return self._connection
