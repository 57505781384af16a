"""What is decided once for a run: how many updates, in which precision, compiled or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from training_app.lm.config import TrainConfig
from training_app.lm.fast import FastLoss
from training_app.lm.loop import Batch, Machinery, make_optimizer, update
from training_app.lm.machine import bf16_pays, compile_works, usable_threads
from training_app.lm.schedule import Schedule

_TRIAL_SECONDS = 2.0
_LARGEST_RESERVE = 0.2  # share of the minutes that evaluations may take
_TRIAL_UPDATES = (4, 40)  # fewest and most real updates that are timed
_COMPILE_FROM_SECONDS = 480  # below this a cold compilation does not pay itself back
FEWEST_UPDATES = 300  # with fewer a person sees no effect

BatchesOf = Callable[[int], Sequence[Batch]]
LossOf = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Decisions:
    """Values that every attempt of a run shares, else a resume could not be bitwise."""

    steps: int
    threads: int
    bf16: bool
    compiled: bool
    seconds_per_update: float

    def as_json(self) -> dict[str, Any]:
        """Return the values as `given` takes them."""
        return asdict(self)

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Self | None:
        """Return what an earlier attempt decided, or None where nothing is decided yet."""
        return cls(**values) if values else None


@dataclass(frozen=True, slots=True)
class Trial:
    """What the measuring is done with: the very network and batches of the run."""

    fast: FastLoss
    batches_of: BatchesOf
    bf16: bool
    cache: Path | None  # where it is kept whether this machine can compile


@dataclass(frozen=True, slots=True)
class Budget:
    """What the minutes are spent on besides updates."""

    began: float  # time.monotonic() when the attempt began
    reserve_seconds: float  # evaluations, samples, saving
    train_tokens: int


def threads_of(train: TrainConfig, decided: Mapping[str, Any]) -> int:
    """Return the thread count: as decided before, as told, or every usable core."""
    return int(decided.get("threads") or train.threads or usable_threads())


def precision_is_bf16(train: TrainConfig, device: torch.device) -> bool:
    """Return whether bf16 is used: as told, or tried where it is left open."""
    return bf16_pays(device) if train.precision == "auto" else train.precision == "bf16"


def decide(
    train: TrainConfig, trial: Trial, budget: Budget, *, say: Callable[[str], None]
) -> Decisions:
    """Return the decisions, measured on real updates of this run; no weight is changed."""
    seconds = seconds_per_update(train, trial, trial.fast)
    eager = Decisions(
        steps=0,
        threads=torch.get_num_threads(),
        bf16=trial.bf16,
        compiled=False,
        seconds_per_update=seconds,
    )
    eager = replace(eager, steps=_updates(train, eager, budget, trial.batches_of))
    if not _should_compile(train, eager.steps * seconds, trial.cache):
        return eager
    say("compiling")
    compiled = replace(eager, compiled=True)
    seconds = seconds_per_update(train, trial, runnable(trial.fast, compiled))
    compiled = replace(compiled, seconds_per_update=seconds)
    return replace(compiled, steps=_updates(train, compiled, budget, trial.batches_of))


def runnable(fast: FastLoss, decisions: Decisions) -> LossOf:
    """Return the loss function as decided; shapes are fixed, so it compiles once."""
    if not decisions.compiled:
        return fast
    compiled: LossOf = torch.compile(fast, dynamic=False)
    return compiled


def seconds_per_update(train: TrainConfig, trial: Trial, loss_of: LossOf) -> float:
    """Return what a real update takes while nothing disturbs it; the weights are put back.

    The lower quartile is taken: a machine that is busy for a moment must not shorten the run.
    """
    weights = list(trial.fast.parameters())
    kept = [weight.detach().clone() for weight in weights]
    flat = Schedule("linear", train.peak_rate, train.peak_rate, 0, 1)
    optimizer = make_optimizer(trial.fast.model, train)
    machinery = Machinery(loss_of, optimizer, flat, train.clip, trial.bf16)
    spans: list[float] = []
    fewest, most = _TRIAL_UPDATES
    while len(spans) < fewest or (sum(spans[1:]) < _TRIAL_SECONDS and len(spans) < most):
        began = time.perf_counter()
        update(machinery, trial.batches_of(len(spans) + 1), train.peak_rate, len(spans) + 1)
        spans.append(time.perf_counter() - began)
    with torch.no_grad():
        for weight, before in zip(weights, kept, strict=True):
            weight.copy_(before)
    optimizer.zero_grad(set_to_none=True)
    return sorted(spans[1:])[(len(spans) - 1) // 4]


def _updates(
    train: TrainConfig, decisions: Decisions, budget: Budget, batches_of: BatchesOf
) -> int:
    if train.steps is not None:
        return train.steps
    if train.epochs is not None:
        tokens = sum(batch.ids.numel() for batch in batches_of(1))
        return max(1, math.ceil(train.epochs * budget.train_tokens / tokens))
    seconds = 60 * (train.minutes or 0)
    reserve = min(budget.reserve_seconds, _LARGEST_RESERVE * seconds)
    left = seconds - reserve - (time.monotonic() - budget.began)
    return max(20, int(left / decisions.seconds_per_update))


def _should_compile(train: TrainConfig, seconds: float, cache: Path | None) -> bool:
    if train.compile == "auto":
        return seconds >= _COMPILE_FROM_SECONDS and compile_works(cache)
    return train.compile == "on"
