"""How fast this machine trains, as measured; every “about N minutes” of every page is made here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, F

from otto_web.lib.cores import usable_cores
from training_app.lm.config import RunSpec
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.presets import PRESETS
from training_app.models import Run, RunPoint, TrainedModel

_SPEEDS_LOOKED_AT, _SPEEDS_USED = 20, 3
# Before any run was measured: tokens/s x parameters. Large matrices keep a core busier.
_ROUGH_WEIGHTS_PER_SECOND_AND_CORE, _ROUGH_OF_LARGE, _LARGE = 8e9, 16e9, 5e7
_OPERATIONS = 6  # of each weight and token: a product and a sum, forward and twice backward
_OTHER_SHARE = 1.15  # evaluations, samples, checkpoints


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast this machine trains: tokens per second times parameters."""

    weights_per_second: float
    is_measured: bool


Measured = Sequence[tuple[int, float]]  # parameters of a run, and its weights per second


def measured_speeds() -> Measured:
    """Return how fast the newest finished runs here were, newest first."""
    newest = (
        RunPoint.objects.filter(
            name="train/tokens_per_second",
            run__model__isnull=False,
            step__gt=F("run__last_step") / 2,
        )
        .values("run", "run__model__params", "run__finished_at", "run__spec")
        .annotate(speed=Avg("value"))
        .order_by("-run__finished_at")[:_SPEEDS_LOOKED_AT]
    )
    return [
        (size, size * row["speed"] * _work_share(RunSpec.from_json(row["run__spec"]), size))
        for row in newest
        if (size := row["run__model__params"])
    ]


def machine_speed(parameters: int, measured: Measured | None = None) -> Speed:
    """Return the speed of the newest finished runs here, those of about this size first.

    A stated rough figure stands in where no run has finished yet. `measured` spares the question
    where several runs are looked at.
    """
    found = measured_speeds() if measured is None else measured
    alike = sorted(found, key=lambda pair: abs(math.log(max(1, pair[0]) / max(1, parameters))))
    if alike:
        speeds = sorted(speed for _, speed in alike[:_SPEEDS_USED])
        return Speed(speeds[len(speeds) // 2], is_measured=True)
    rough = _ROUGH_OF_LARGE if parameters >= _LARGE else _ROUGH_WEIGHTS_PER_SECOND_AND_CORE
    return Speed(rough * usable_cores(), is_measured=False)


def update_seconds(spec: RunSpec, speed: Speed, parameters: int) -> float:
    """Return how long one update of the run takes, with its share of everything else."""
    tokens = spec.train.tokens_per_update(spec.model.context) * _work_share(spec, parameters)
    return _OTHER_SHARE * tokens * max(1, parameters) / speed.weights_per_second


def _work_share(spec: RunSpec, parameters: int) -> float:
    """Return what an update computes, as a share of training every weight with AdamW."""
    method, train = METHODS[spec.method], spec.train
    operations = OPTIMIZERS[train.optimizer].operations(
        method.matrices(spec.model, train.lora_rank)
    )
    plain = _OPERATIONS * max(1, parameters) * train.tokens_per_update(spec.model.context)
    return method.work + operations / plain


def preset_seconds(name: str, *, steps: int) -> float:
    """Return about how long so many updates of a preset from nothing take on this machine."""
    spec = PRESETS[name].spec()
    size = spec.model.parameters
    return steps * update_seconds(spec, machine_speed(size), size)


def tuning_seconds(name: str, model: TrainedModel) -> float:
    """Return about how long a preset of so many updates takes that goes on from this model."""
    spec = PRESETS[name].spec(start_from=str(model.pk))
    return (spec.train.steps or 0) * update_seconds(spec, machine_speed(model.params), model.params)


def seconds_left(run: Run, spec: RunSpec, speeds: Sequence[float]) -> float | None:
    """Return about how long a run still takes, by its own newest tokens per second.

    Before its first points its own measured update counts; before that nothing is known.
    """
    if run.is_over or not run.total_steps:
        return None
    each = float(run.decided.get("seconds_per_update", 0.0))
    if speeds:
        tokens = spec.train.tokens_per_update(spec.model.context)
        each = tokens / max(1e-9, statistics.median(speeds))
    left = max(0, run.total_steps - run.last_step)
    return _OTHER_SHARE * left * each if each else None
