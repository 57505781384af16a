"""How a trainer's end is judged; a run that is over already stays as it is."""

from __future__ import annotations

import signal

from otto_web.lib.work.states import State
from training_app.jobs.exits import Exit
from training_app.models.reasons import Reason
from training_app.services.attempts import Claim, close_attempt, end_run, is_over, release_run

DISK_TAKES_NOTHING = "the disk is full or read-only"
_FAILURES = {
    Exit.CONFIGURATION: Reason.CONFIGURATION,
    Exit.DATA: Reason.DATA,
    Exit.DIVERGED: Reason.DIVERGED,
    Exit.DISK: Reason.DISK,
    Exit.TIMED_OUT: Reason.TIMED_OUT,
}


def end_by_exit_code(claim: Claim, code: int, *, memory: bool) -> None:
    """Write down how the attempt ended and what becomes of the run."""
    if code == Exit.FENCE_LOST or is_over(claim.run_id):
        close_attempt(claim, _words(code))
    elif code == Exit.CANCELLED:
        end_run(claim, State.CANCELLED)
    elif code == Exit.DRAINED:
        release_run(claim, "its worker was asked to stop", is_death=False, backs_off=False)
    elif code in _FAILURES:
        reason = _FAILURES[Exit(code)]
        end_run(claim, State.FAILED, reason=reason, message=str(reason.label))
    elif code == Exit.NO_ROOM:
        release_run(claim, DISK_TAKES_NOTHING, lacks=Reason.DISK)
    else:
        out_of_memory = code == Exit.MEMORY or (code == -signal.SIGKILL and memory)
        release_run(claim, _words(code), lacks=Reason.OOM if out_of_memory else None)


def _words(code: int) -> str:
    if code < 0:
        return f"the trainer was ended by {signal.Signals(-code).name}"
    if code == Exit.MEMORY:
        return "the trainer ran out of memory"
    return f"the trainer ended with code {code}"
