"""What worker-train does: claims a run, starts its trainer, beats, and judges how it ended."""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path

from django.conf import settings
from django.db import connection

from otto_web.lib.beat import is_draining
from otto_web.lib.disk import is_disk_full
from otto_web.lib.patience import DATABASE_AWAY
from training_app.jobs.child import Trainer
from training_app.jobs.exit_reason import end_by_exit_code
from training_app.jobs.exits import Exit
from training_app.jobs.heartbeat import Heartbeat
from training_app.jobs.process_identity import identity_of, own_identity
from training_app.lm.contract import StopReason
from training_app.services.attempts import Claim, claim_run, name_trainer

log = logging.getLogger(__name__)
TERM_SECONDS, KILL_SECONDS = 15.0, 30.0  # after a cancel was handed on
DRAIN_SECONDS = 50.0
LOST_SECONDS = 10.0
_MEMORY_EVENTS = Path("/sys/fs/cgroup/memory.events")


def supervise_run(_hinted: str = "") -> bool:
    """Take the best queued run, whichever was hinted at, and stay with it until its attempt ends.

    Returns False at once when no run waits (a hint is only a hint) or the worker is leaving.
    """
    claim = None if is_draining() else claim_run(own_identity())
    if claim is None:
        return False
    kills_before = _memory_kills()
    try:
        trainer = Trainer(claim)
    except OSError as error:
        if not is_disk_full(error):
            raise
        log.warning("no trainer can be started: %s", error)
        _judge_patiently(claim, Exit.NO_ROOM, memory=False)
        return True
    heartbeat = Heartbeat(claim)
    try:
        name_trainer(claim, identity_of(trainer.process.pid))
        code = _watch(trainer, heartbeat)
    except BaseException:
        trainer.send({"stop": "drain"})
        code = _as_asked(trainer.end(DRAIN_SECONDS), "drain")
        _judge_patiently(claim, code, memory=False)
        raise
    finally:
        heartbeat.stop()
        trainer.close()
    _judge_patiently(claim, code, memory=_memory_kills() > kills_before)
    return True


def _watch(trainer: Trainer, heartbeat: Heartbeat) -> int:
    """Beat until the trainer has ended, and hand on what is wanted of it."""
    asked: tuple[StopReason, float] | None = None
    while (code := trainer.wait(settings.OTTO_BEAT_SECONDS)) is None:
        try:
            pulse = heartbeat.beat()
        except DATABASE_AWAY as error:
            log.warning("no beat: %s", error)  # the trainer hears the silence and waits
            heartbeat.stop()
            continue
        if pulse is None:
            return _let_go(trainer)
        trainer.send({"beat": time.time()})
        if pulse.stop is not None:
            if asked is None or (asked[0], pulse.stop) == ("keep", "cancel"):
                asked = (pulse.stop, time.monotonic())
            _press(trainer, *asked)
    return code if asked is None else _as_asked(code, asked[0])


def _as_asked(code: int, asked: StopReason) -> int:
    """Return how the attempt ended, where a trainer that does not listen was ended from outside."""
    if asked == "timeout" and code not in {Exit.DONE, Exit.FENCE_LOST}:
        return Exit.TIMED_OUT
    if asked == "drain" and code in {-signal.SIGTERM, -signal.SIGKILL}:
        return Exit.DRAINED
    return code


def _press(trainer: Trainer, reason: StopReason, since: float) -> None:
    """Ask first, then with SIGTERM, then without asking."""
    waited = time.monotonic() - since
    patience = DRAIN_SECONDS if reason == "drain" else KILL_SECONDS
    if reason == "keep":  # its model takes as long as it takes; the reaper ends one that hangs
        trainer.send({"stop": reason})
    elif waited >= patience:
        trainer.signal(signal.SIGKILL)
    elif waited >= TERM_SECONDS:
        trainer.signal(signal.SIGTERM)
    else:
        trainer.send({"stop": reason})


def _let_go(trainer: Trainer) -> int:
    """End a trainer that lost its run, or that has finished it this very moment."""
    trainer.send({"dump": True})
    trainer.send({"stop": "lost"})
    return trainer.end(LOST_SECONDS)


def _judge_patiently(claim: Claim, code: int, *, memory: bool) -> None:
    """Judge the end; with the database away for long, the reaper does it."""
    for pause in (0.2, 1.0, 3.0, 5.0):
        try:
            end_by_exit_code(claim, code, memory=memory)
        except DATABASE_AWAY as error:
            connection.close()  # the next try needs one that answers
            log.warning("the end of a trainer could not be written yet: %s", error)
            time.sleep(pause)
        else:
            return


def _memory_kills() -> int:
    """Return how often the kernel killed something of this control group for its memory."""
    try:
        lines = _MEMORY_EVENTS.read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
