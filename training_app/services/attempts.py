"""One attempt of a run: claimed, kept alive, ended. Every change names its fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from otto_web.lib.hints import hint
from otto_web.lib.work.claims import LostLease, finish, give_back, take
from otto_web.lib.work.rows import Retry
from otto_web.lib.work.states import OVER, State
from training_app.models import (
    CancelVerb,
    Checkpoint,
    Run,
    RunAttempt,
    RunLease,
)
from training_app.models.reasons import Reason
from training_app.services.run_events import NewEvent, add_event

RETRY = Retry(most=3)  # deaths without progress in a row
MOST_FULL_DISKS = 12  # with the pauses between them about an hour


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Where an attempt runs: one process, told apart from a later one with its number."""

    host: str
    pid: int
    pid_started_at: float

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.pid_started_at:.3f}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a run's rows, for as long as nobody raised the fence."""

    run_id: UUID
    fence: int
    attempt: int

    @property
    def row(self) -> Run:
        """Return the run as far as a conditional update needs it."""
        return Run(pk=self.run_id, fence=self.fence)


@transaction.atomic(durable=True)
def claim_run(process: ProcessIdentity) -> Claim | None:
    """Take the best queued run: state, fence, attempt and lease in one transaction, or None."""
    best = Run.objects.claimable().select_for_update(skip_locked=True, of=("self",)).first()
    if best is None:
        return None
    claim = Claim(best.pk, best.fence + 1, best.attempts + 1)
    take(Run.objects.filter(pk=best.pk), phase="starting")
    _open_attempt(claim, process, step=best.last_step)
    detail = f"attempt {claim.attempt} on {process.host}"
    add_event(best.pk, NewEvent("claimed", detail, "worker", State.QUEUED, State.RUNNING))
    return claim


def _open_attempt(claim: Claim, process: ProcessIdentity, *, step: int) -> None:
    span = timedelta(seconds=settings.OTTO_LEASE_SECONDS)
    RunLease.objects.update_or_create(
        run_id=claim.run_id,
        defaults={
            "fence": claim.fence,
            "worker": str(process),
            "beat_at": Now(),
            "progress_at": Now(),
            "progress_step": step,
            "expires_at": Now() + span,
        },
    )
    RunAttempt.objects.create(
        run_id=claim.run_id,
        fence=claim.fence,
        host=process.host,
        pid=process.pid,
        pid_started_at=process.pid_started_at,
        started_at=Now(),
    )


def name_trainer(claim: Claim, process: ProcessIdentity) -> None:
    """Say which process trains, so that a worker of the same host can tell when it is gone."""
    RunAttempt.objects.filter(run_id=claim.run_id, fence=claim.fence).update(
        pid=process.pid, pid_started_at=process.pid_started_at
    )


@transaction.atomic
def end_run(claim: Claim, new: State, *, reason: str = "", message: str = "") -> bool:
    """Bring the run to a terminal state, unless this attempt no longer owns it."""
    try:
        finish(claim.row, new, reason=reason, message=message, phase="")
    except LostLease:
        return False
    close_attempt(claim, reason or new)
    if new == State.CANCELLED:
        _discard_if_asked(claim.run_id)
    event = NewEvent(new, message or reason, "", State.RUNNING, new)
    add_event(claim.run_id, event)
    return True


def close_attempt(claim: Claim, exit_reason: str) -> None:
    """Close the attempt's row and give the lease back."""
    RunAttempt.objects.filter(run_id=claim.run_id, fence=claim.fence, ended_at=None).update(
        ended_at=Now(), exit_reason=exit_reason[:60]
    )
    RunLease.objects.filter(run_id=claim.run_id, fence=claim.fence).delete()


@transaction.atomic
def release_run(
    claim: Claim,
    why: str,
    *,
    is_death: bool = True,
    backs_off: bool = True,
    lacks: Reason | None = None,
) -> State | None:
    """Take the run from an attempt that ended: queued again, or ended when that is hopeless.

    A run that was stopped and kept is queued too: the next attempt makes its model. Returns the
    new state, or None when somebody else owns the run. The fence is raised at once,
    so that a writer who is still alive writes nothing more.
    """
    run = Run.objects.select_for_update().filter(pk=claim.run_id, fence=claim.fence).first()
    if run is None or run.state != State.RUNNING:
        close_attempt(claim, why)
        return None
    if run.cancel_requested_at is not None and not run.is_to_be_kept:
        end_run(claim, State.CANCELLED)
        return State.CANCELLED
    deaths = run.no_progress_deaths + int(is_death)
    hopeless = _hopeless(deaths, lacks)
    if is_death and hopeless is not None:
        end_run(claim, State.FAILED, reason=hopeless, message=str(hopeless.label))
        return State.FAILED
    pause = RETRY.pause(deaths) if backs_off else timedelta()
    _requeue(claim, why, deaths=deaths, pause=pause, reason=lacks or Reason.WORKER_LOST)
    return State.QUEUED


def _hopeless(deaths: int, lacks: Reason | None) -> Reason | None:
    if lacks == Reason.OOM and deaths >= 2:
        return Reason.OOM
    if lacks == Reason.DISK:  # somebody has to notice and make room
        return Reason.DISK if deaths >= MOST_FULL_DISKS else None
    return Reason.CRASH_LOOP if deaths >= RETRY.most else None


def _requeue(claim: Claim, why: str, *, deaths: int, pause: timedelta, reason: Reason) -> None:
    give_back(
        claim.row,
        pause=pause,
        fence=F("fence") + 1,
        no_progress_deaths=deaths,
        reason=reason,
        message=why,
        phase="",
    )
    close_attempt(claim, why)
    add_event(claim.run_id, NewEvent("released", why, "", State.RUNNING, State.QUEUED))
    wake_worker(claim.run_id)


def wake_worker(run_id: UUID) -> None:
    """Ring for a worker after the commit; the reaper rings again where this is lost."""
    hint("training.supervise_run", run_id)


def _discard_if_asked(run_id: UUID) -> None:
    """Forget the checkpoints of a run that was cancelled with `discard`; the sweep takes files."""
    if Run.objects.filter(pk=run_id, cancel_verb=CancelVerb.DISCARD).exists():
        Checkpoint.objects.filter(run_id=run_id, continued_by=None).delete()


def is_over(run_id: UUID) -> bool:
    return Run.objects.filter(pk=run_id, state__in=OVER).exists()
