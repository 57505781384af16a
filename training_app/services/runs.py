"""What a person does with a run: queue, cancel, start one like it or one that goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from datasets_app.models import Version
from otto_web.lib import audit
from otto_web.lib.work.claims import cancel
from otto_web.lib.work.states import State
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import spec_sha256
from training_app.models import (
    CancelVerb,
    Checkpoint,
    Run,
    RunPoint,
    RunSample,
    TrainedModel,
)
from training_app.selectors.forecast import forecast
from training_app.services.attempts import wake_worker
from training_app.services.run_events import NewEvent, add_event, take_numbers
from training_app.services.trained_models import hold_model

RATE_STEP_DOWN = 0.1
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that queues a run; the same `idem_key` of one person gives the same run."""

    name: str
    spec: RunSpec
    version: Version
    idem_key: UUID
    forced_reason: str = ""
    start_model: TrainedModel | None = None
    parent_run: Run | None = None
    start_checkpoint: Checkpoint | None = None


class VersionRefusedError(TrainingError):
    """The version may not be trained as ordered; `field` of the form says what to change."""

    def __init__(self, sentence: str, *, field: str = "version") -> None:
        super().__init__(sentence)
        self.field = field


def queue_run(order: Order, *, created_by: User | None) -> Run:
    """Queue a run; the committed row is the order, the hint only wakes a worker sooner.

    Whoever asks, for a first run or a further one: a version that may not be trained is refused
    here, with a VersionRefusedError.
    """
    known = Run.objects.filter(created_by=created_by, idem_key=order.idem_key).first()
    if known is not None:
        return known
    try:
        return _insert_run(_admitted(order), created_by)
    except IntegrityError:  # the same form, sent twice at the same moment
        return Run.objects.get(created_by=created_by, idem_key=order.idem_key)


def _admitted(order: Order) -> Order:
    """Return the order, with a reason only where one is needed, unless it is refused."""
    if order.version.state != State.SUCCEEDED:
        raise VersionRefusedError("This version is not frozen yet, so nobody can train on it.")
    expected = forecast(order.spec, order.version)
    if expected.refusals:
        raise VersionRefusedError(expected.refusals[0])
    if not expected.needs_reason:
        return replace(order, forced_reason="")
    if not order.forced_reason:
        raise VersionRefusedError(
            f"The quality score of this version is {expected.quality} of 100, below 50. Clean it"
            " first, or say why to train it anyway.",
            field="forced",
        )
    return order


@transaction.atomic
def _insert_run(order: Order, created_by: User | None) -> Run:
    if order.start_model is not None:
        hold_model(order.start_model)
    decided: dict[str, Any] = {}
    if order.start_checkpoint is not None and order.parent_run is not None:
        decided = dict(order.parent_run.decided)  # its state is continued bit for bit
    run = Run(
        name=order.name,
        created_by=created_by,
        version=order.version,
        spec=order.spec.as_json(),
        spec_sha256=spec_sha256(order.spec),
        decided=decided,
        forced_reason=order.forced_reason,
        start_model=order.start_model,
        parent_run=order.parent_run,
        start_checkpoint=order.start_checkpoint,
        total_steps=int(decided.get("steps") or order.spec.train.steps or 0),
        idem_key=order.idem_key,
    )
    run.save(force_insert=True)
    if order.start_checkpoint is not None:
        _take_over_curve(run, order.start_checkpoint)
    actor = created_by.get_username() if created_by else "OTTO"
    add_event(run.pk, NewEvent("queued", "", actor, "", State.QUEUED))
    after: dict[str, Any] = {"name": run.name, "version": str(order.version.pk)}
    if order.forced_reason:
        after["trained_anyway"] = order.forced_reason
    audit.record(created_by, "run.queued", run, after=after)
    wake_worker(run.pk)
    return run


def _take_over_curve(run: Run, checkpoint: Checkpoint) -> None:
    """Copy the points and samples up to the checkpoint, so that the curve begins at the start."""
    points = RunPoint.objects.filter(run_id=checkpoint.run_id, step__lte=checkpoint.step)
    samples = RunSample.objects.filter(run_id=checkpoint.run_id, step__lte=checkpoint.step)
    kept, shown = list(points.order_by("seq")), list(samples.order_by("seq"))
    if not kept:
        return
    first = take_numbers(run.pk, len(kept) + len(shown))
    for seq, point in enumerate(kept, start=first):
        point.run, point.seq, point.fence = run, seq, 0
    for seq, sample in enumerate(shown, start=first + len(kept)):
        sample.pk, sample.run, sample.seq, sample.fence = None, run, seq, 0
    RunPoint.objects.bulk_create(kept)
    RunSample.objects.bulk_create(shown)
    Run.objects.filter(pk=run.pk).update(last_step=checkpoint.step)


@transaction.atomic
def cancel_run(run: Run, *, verb: CancelVerb, actor: User | None) -> State:
    """Ask a run to end, in whatever state it is; returns the state it is in afterwards.

    A queued run ends at once, or, where it has something to keep, as soon as a worker has made a
    model of it; a running one at its next step; one that is over stays as it is. What was
    discarded once cannot be kept any more.
    """
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if locked.is_over:
        return State(locked.state)
    first = locked.cancel_requested_at is None
    verb = CancelVerb.DISCARD if locked.cancel_verb == CancelVerb.DISCARD else verb
    Run.objects.filter(pk=run.pk).update(
        cancel_requested_at=locked.cancel_requested_at or Now(), cancel_verb=verb
    )
    name = actor.get_username() if actor else "OTTO"
    audit.record(actor, "run.cancelled", run, after={"verb": verb})
    if locked.state == State.QUEUED and verb == CancelVerb.KEEP and locked.can_keep:
        Run.objects.filter(pk=run.pk).update(not_before=None)
        wake_worker(run.pk)
    elif locked.state == State.QUEUED:
        cancel(Run.objects.filter(pk=run.pk, state=State.QUEUED), "", phase="")
        if verb == CancelVerb.DISCARD:
            Checkpoint.objects.filter(run_id=run.pk, continued_by=None).delete()
        detail = CancelVerb(verb).label
        add_event(
            run.pk,
            NewEvent("cancelled", str(detail), name, State.QUEUED, State.CANCELLED),
        )
        return State.CANCELLED
    if first:
        add_event(run.pk, NewEvent("cancel asked", str(CancelVerb(verb).label), name))
    return State(locked.state)


def order_again(run: Run, *, idem_key: UUID | None = None) -> Order:
    """Return the order of a run with the same settings, from the start."""
    return Order(
        name=run.name,
        spec=RunSpec.from_json(run.spec),
        version=run.version,
        idem_key=idem_key or uuid4(),
        forced_reason=run.forced_reason,
        start_model=run.start_model,
        parent_run=run,
    )


def order_gentler(run: Run, *, idem_key: UUID | None = None) -> Order:
    """Return the order that goes on from the last good state with a tenth of the rate.

    That is the best checkpoint, of this run or of those that it continues: checkpoints after it may
    be of a loss that was breaking already. Without any it begins anew.
    """
    order = order_again(run, idem_key=idem_key)
    train = order.spec.train
    slower = replace(
        train,
        learning_rate=train.learning_rate * RATE_STEP_DOWN,
        min_learning_rate=train.min_learning_rate * RATE_STEP_DOWN,
    )
    return replace(
        order,
        name=following_name(run.name, "gentler"),
        spec=replace(order.spec, train=slower),
        start_checkpoint=_best_checkpoint(run),
    )


def _best_checkpoint(run: Run) -> Checkpoint | None:
    """Return the best state of the run, else of what it began with; None where it began anew."""
    found, begin = run.checkpoints.filter(is_best=True).first(), run.start_checkpoint
    while found is None and begin is not None:
        found = begin.run.checkpoints.filter(is_best=True, step__lte=begin.step).first()
        begin = begin.run.start_checkpoint
    return found or run.start_checkpoint


def order_rest(run: Run, *, idem_key: UUID | None = None) -> Order:
    """Return the order that goes on where a stopped run was: same curve, same weights."""
    newest = run.checkpoints.order_by("-step", "-fence").first()
    if newest is None:
        raise TrainingError("This run left no checkpoint; run it again from the start.")
    order = order_again(run, idem_key=idem_key)
    return replace(order, name=following_name(run.name, "continued"), start_checkpoint=newest)


def following_name(name: str, how: str) -> str:
    """Return the name of what goes on from a run or model: the list must tell the two apart.

    The next one of `X, continued` is `X, continued 2`.
    """
    found = re.fullmatch(rf"(.*), {how}(?: (\d{{1,6}}))?", name, re.DOTALL)
    base, number = (found[1], int(found[2] or 1) + 1) if found else (name, 1)
    ending = f", {how}" if number == 1 else f", {how} {number}"
    return base[: _LONGEST_NAME - len(ending)] + ending
