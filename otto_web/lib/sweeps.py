"""What the reaper cleans up among the shared rows, and among the database's sessions."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from otto_web.lib.models import ProcessBeat
from otto_web.lib.work.sweep import look_after_work

log = logging.getLogger(__name__)
FORGET_AFTER_BEATS = 60
# PostgreSQL ends a session that is idle in a transaction by itself, but not one that waits for
# its client in the middle of a COPY or of an answer: there no time-out reaches it, only a signal.
_WAITING_FOR_CLIENT = """
SELECT session.pid, session.backend_start, session.query_start, copy.bytes_processed
FROM pg_stat_activity AS session
LEFT JOIN pg_stat_progress_copy AS copy ON copy.pid = session.pid
WHERE session.datname = current_database() AND session.usename = current_user
  AND session.state = 'active' AND session.wait_event_type = 'Client'
"""
_END_SESSION = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s
"""
Session = tuple[int, datetime, datetime, int | None]
_waiting_since: dict[Session, float] = {}


def forget_dead_processes(now: datetime) -> None:
    """Delete the rows of processes that have been silent for long."""
    silence = timedelta(seconds=FORGET_AFTER_BEATS * settings.OTTO_PROCESS_BEAT_SECONDS)
    ProcessBeat.objects.filter(seen_at__lt=now - silence).delete()


def end_silent_sessions(now: datetime) -> None:
    """End sessions whose client stands still in the middle of a COPY: they keep rows locked.

    A session counts as standing still when neither its statement nor its bytes have changed
    between looks for as long as a process may be silent in a transaction.
    """
    clock = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_FOR_CLIENT)
        waiting: list[Session] = cursor.fetchall()
        for gone in _waiting_since.keys() - set(waiting):
            del _waiting_since[gone]
        for session in waiting:
            silent_for = clock - _waiting_since.setdefault(session, clock)
            if silent_for > settings.OTTO_SILENCE_SECONDS:
                log.warning("session %d was silent for %.0f s and is ended", session[0], silent_for)
                cursor.execute(_END_SESSION, session[:2])


SWEEPS = (end_silent_sessions, forget_dead_processes, look_after_work)
