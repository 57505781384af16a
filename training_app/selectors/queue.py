"""When a queued run starts: its place, and about how long those before it take."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from otto_web.lib.work.states import State
from training_app.lm.config import RunSpec
from training_app.models import Run
from training_app.selectors.forecast import train_tokens
from training_app.selectors.points import thinned_curves
from training_app.selectors.speed import (
    Measured,
    machine_speed,
    measured_speeds,
    seconds_left,
    update_seconds,
)

SPEED = "train/tokens_per_second"
_POINTS = 40  # of the speed; those of a run's end count most, and few are enough


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place in the queue, 1 is next, and in about how many seconds the run starts."""

    place: int
    seconds: float


def waiting_runs() -> dict[UUID, Waiting]:
    """Return every queued run's place and about when it starts, in a fixed number of queries.

    As many runs go at once as do now; that a worker is there at all is not known here.
    """
    queued = Run.objects.filter(state=State.QUEUED).wanted().in_turn().select_related("version")
    going = list(Run.objects.filter(state=State.RUNNING).select_related("version"))
    curves = thinned_curves([run.pk for run in going], most=_POINTS, names=[SPEED])
    measured = measured_speeds()
    free = [
        0.0  # it stops now: what it had planned says nothing
        if run.cancel_requested_at
        else _rest(run, [value for _, value in curves.get(run.pk, {}).get(SPEED, [])], measured)
        for run in going
    ] or [0.0]
    heapq.heapify(free)
    found = {}
    for place, run in enumerate(queued, start=1):
        start = heapq.heappop(free)
        found[run.pk] = Waiting(place, start)
        heapq.heappush(free, start + planned_seconds(run, measured))
    return found


def planned_seconds(run: Run, measured: Measured) -> float:
    """Return about how long the whole run takes, or what is left of it where it was interrupted."""
    spec = RunSpec.from_json(run.spec)
    if spec.train.minutes is not None:
        whole = 60 * spec.train.minutes
    else:
        size = spec.model.parameters
        each = update_seconds(spec, machine_speed(size, measured), size)
        passes = (spec.train.epochs or 0.0) * train_tokens(spec, run.version)
        steps = passes / spec.train.tokens_per_update(spec.model.context)
        whole = each * (run.total_steps or spec.train.steps or steps)
    done = run.last_step / run.total_steps if run.total_steps else 0.0
    return whole * (1 - min(1.0, done))


def _rest(run: Run, speeds: list[float], measured: Measured) -> float:
    left = seconds_left(run, RunSpec.from_json(run.spec), speeds)
    if left is not None:
        return left
    gone = (timezone.now() - run.started_at).total_seconds() if run.started_at else 0.0
    return max(0.0, planned_seconds(run, measured) - gone)
