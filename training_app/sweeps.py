"""What the reaper looks after for the training rooms."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from datasets_app.models import KnownTokenizer, Upload
from otto_web.lib.hints import hint_again
from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from otto_web.lib.patience import each_by_itself
from otto_web.lib.work.states import OVER, State
from training_app.models import Run, RunLease, TrainedModel
from training_app.services.attempts import Claim, release_run
from training_app.services.bases import order_upload
from training_app.services.folders import (
    remove_folder,
    stray_encoders,
    stray_exports,
    stray_models,
    stray_pieces,
    stray_preparations,
    stray_tokenizers,
)

IDLE_HINTS = 4  # a run unclaimed for so many hint times while a worker idles: it hears nothing
HANG_SECONDS = {"training": 300.0}
HANG_SECONDS_ELSE = 1800.0  # tokens of a large version, a first compilation
FOLDERS_EVERY_SECONDS = 300.0
AT_ONCE = 20
_idle_since: dict[int, datetime] = {}  # workers, while a run waits; the reaper is one process
_hinted_at = float("-inf")
_folders_looked_at = float("-inf")


def release_expired(now: datetime) -> None:
    """Take running runs from holders whose lease ended; a wanted cancel is fulfilled here too."""
    left = Q(lease=None) | Q(lease__expires_at__lt=now)
    runs = list(Run.objects.filter(left, state=State.RUNNING))
    claims = [Claim(run.pk, run.fence, run.attempts) for run in runs]
    ended = Q(expires_at__lt=now)
    each_by_itself(claims, lambda one: _take_away(one, ended, "its lease ended without a beat"))


def release_hanging(now: datetime) -> None:
    """Take runs from trainers that live but make no step: the raised fence ends them."""
    alive = RunLease.objects.filter(expires_at__gte=now, run__state=State.RUNNING)
    each_by_itself(list(alive.select_related("run")), lambda lease: _release_if_hanging(lease, now))


def _release_if_hanging(lease: RunLease, now: datetime) -> None:
    patience = HANG_SECONDS.get(lease.run.phase, HANG_SECONDS_ELSE)
    updates = max(10, int(lease.run.spec["train"]["eval_batches"]))  # an evaluation is no step
    slow_step = updates * float(lease.run.decided.get("seconds_per_update", 0.0))
    if now - lease.progress_at > timedelta(seconds=max(patience, slow_step)):
        claim = Claim(lease.run_id, lease.fence, lease.run.attempts)
        waited = (now - lease.progress_at).total_seconds()
        as_seen = Q(progress_at=lease.progress_at)
        _take_away(claim, as_seen, f"no step for {waited / 60:.0f} minutes")


@transaction.atomic
def _take_away(claim: Claim, doomed: Q, why: str) -> None:
    """Release a run if its lease still is as it was when it was looked at."""
    Run.objects.select_for_update().filter(pk=claim.run_id).first()  # first, as whoever ends it
    leases = RunLease.objects.filter(run_id=claim.run_id)
    leases.filter(doomed).delete()
    if not leases.exists():
        release_run(claim, why)


def hint_queued(now: datetime) -> None:
    """Hint again for runs that nobody took, unless every worker is busy anyway."""
    global _hinted_at  # noqa: PLW0603 - the reaper is one process
    if time.monotonic() - _hinted_at < settings.OTTO_HINT_SECONDS:
        return
    before = now - timedelta(seconds=settings.OTTO_HINT_SECONDS)
    waiting = Run.objects.claimable().filter(created_at__lt=before).first()
    workers = list(_train_workers().values_list("state", flat=True))
    if waiting is None or (workers and ProcessState.IDLE not in workers):
        return
    _hinted_at = time.monotonic()
    hint_again("training.supervise_run", [waiting.pk])


def drain_deaf_workers(now: datetime) -> None:
    """Ask a worker to leave that idled all the time that a run waited: its line to Redis is dead.

    A worker that has just begun, or has just ended a run, says that it is idle until its next
    beat, however long other runs have been in the queue; so its own idle time is what counts.
    """
    patience = timedelta(seconds=IDLE_HINTS * settings.OTTO_HINT_SECONDS)
    before = now - patience
    forgotten = (
        Run.objects.claimable().filter(created_at__lt=before).exclude(not_before__gte=before)
    )
    idle = _train_workers().filter(state=ProcessState.IDLE).values_list("pk", flat=True)
    seen = set(idle) if forgotten.exists() else set()
    for pk in _idle_since.keys() - seen:
        del _idle_since[pk]
    for pk in seen:
        _idle_since.setdefault(pk, now)
    deaf = [pk for pk, since in _idle_since.items() if now - since >= patience]
    _train_workers().filter(pk__in=deaf, state=ProcessState.IDLE).update(drain=True)


def take_over_models(now: datetime) -> None:
    """Order what came as an upload, and let the upload go once its base is over."""
    arrived = Upload.objects.of_models().filter(state__in=OVER, base=None)
    arrived = arrived.exclude(state=State.CANCELLED)
    each_by_itself(list(arrived[:AT_ONCE]), order_upload)
    done = Upload.objects.of_models().filter(base__state__in=OVER)
    each_by_itself(list(done[:AT_ONCE]), lambda upload: upload.delete())


def remove_stale_folders(now: datetime) -> None:
    """Free what no row names: pieces of old attempts, models and exports that are gone."""
    global _folders_looked_at  # noqa: PLW0603 - the reaper is one process
    if time.monotonic() - _folders_looked_at < FOLDERS_EVERY_SECONDS:
        return
    _folders_looked_at = time.monotonic()
    strays = (
        stray_pieces(),
        stray_models(now),
        stray_encoders(now),
        stray_exports(),
        stray_preparations(),
        stray_tokenizers(),
    )
    for folder in [folder for kind in strays for folder in kind]:
        remove_folder(folder)


def _train_workers() -> QuerySet[ProcessBeat]:
    return ProcessBeat.objects.alive().filter(kind=ProcessKind.TRAIN, drain=False)


def offer_tokenizers(now: datetime) -> None:
    """Let documents be cut by the tokens of the models that are here, and of no others."""
    ready = TrainedModel.objects.ready()
    known = KnownTokenizer.objects.all()
    known.exclude(pk__in=ready.values("pk")).delete()
    fresh = ready.exclude(pk__in=known.values("pk"))[:AT_ONCE]
    KnownTokenizer.objects.bulk_create(
        [KnownTokenizer(pk=model.pk, name=str(model), path=model.path) for model in fresh],
        ignore_conflicts=True,
    )


SWEEPS = (
    offer_tokenizers,
    release_expired,
    release_hanging,
    hint_queued,
    drain_deaf_workers,
    take_over_models,
    remove_stale_folders,
)
