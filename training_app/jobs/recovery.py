"""The fast path: a worker that starts gives back what dead processes of its host held."""

from __future__ import annotations

import logging
import threading
import time

from django.db import connection

from otto_web.lib.beat import host_name
from otto_web.lib.patience import DATABASE_AWAY
from training_app.jobs.process_identity import is_alive, parse_identity
from training_app.models import RunAttempt, RunLease
from training_app.services.attempts import Claim, ProcessIdentity, release_run

log = logging.getLogger(__name__)
LOOK_AGAIN_SECONDS = 1.0
LOOKS = 30  # a trainer whose worker died is gone after a few seconds


def start_recovery() -> None:
    """Look in the background: the start of a worker may not be held up."""
    threading.Thread(target=_recover_until_clear, name="recovery", daemon=True).start()


def _recover_until_clear() -> None:
    try:
        for _ in range(LOOKS):
            if not recover():
                return
            time.sleep(LOOK_AGAIN_SECONDS)
    except DATABASE_AWAY as error:
        log.warning("dead attempts are left to the reaper: %s", error)
    finally:
        connection.close()


def recover() -> int:
    """Close open attempts of dead processes of this host; return how many are still ending."""
    workers = dict(RunLease.objects.values_list("run_id", "worker"))
    ending = 0
    for attempt in RunAttempt.objects.filter(ended_at=None, host=host_name()):
        worker = parse_identity(workers.get(attempt.run_id, ""))
        if worker is not None and is_alive(worker):
            continue
        if is_alive(ProcessIdentity(attempt.host, attempt.pid, attempt.pid_started_at)):
            ending += 1
            continue
        claim = Claim(attempt.run_id, attempt.fence, 0)
        release_run(claim, "its worker was killed", backs_off=False)
    return ending
