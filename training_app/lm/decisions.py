"""What is decided once for a run: how many updates, in which precision, compiled or not."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from otto_web.lib.cores import usable_cores
from training_app.lm.config import TrainConfig
from training_app.lm.fast import FastLoss
from training_app.lm.loop import Batch, Optimization, update
from training_app.lm.machine import bf16_pays, compile_works
from training_app.lm.schedule import Schedule
from training_app.lm.trainable import make_optimizer

# All chosen by hand.
_ROUNDS = 3  # of timing, at most
_TRIAL_SECONDS = 2.0  # of one round
_TRIAL_UPDATES = (3, 40)  # fewest and most real updates of one round
_MOST_TRIAL_SECONDS = 12.0  # after these no further round begins
_CALM = 1.2  # median over lower quartile; above it something else was at work
_LARGEST_RESERVE = 0.2  # share of the minutes that evaluations may take
_TRAINED_SHARE = 0.5  # of the minutes, at least, however long the preparation took
_COMPILE_FROM_SECONDS = 480  # below this a cold compilation does not pay itself back
_FEWEST_STEPS = 20

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
    train_tokens: int = 0  # of all it learns from, as it was encoded; 0 where nobody counted

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
class TimeBudget:
    """What the minutes are spent on besides updates."""

    began: float  # time.monotonic() when the attempt began
    reserve_seconds: float  # evaluations, samples, saving
    train_tokens: int


def threads_of(train: TrainConfig, decided: Mapping[str, Any]) -> int:
    """Return the thread count: as decided before, as told, or every usable core."""
    return int(decided.get("threads") or train.threads or usable_cores())


def precision_is_bf16(train: TrainConfig, device: torch.device) -> bool:
    """Return whether bf16 is used: as told, or tried where it is left open."""
    return bf16_pays(device) if train.precision == "auto" else train.precision == "bf16"


def decide(
    train: TrainConfig, trial: Trial, budget: TimeBudget, *, say: Callable[[str], None]
) -> Decisions:
    """Return the decisions, measured on real updates of this run; no weight is changed.

    `say` is called with "compiling" before a compilation is tried, which takes long.
    """
    seconds = seconds_per_update(train, trial, trial.fast)
    eager = Decisions(
        steps=0,
        threads=torch.get_num_threads(),
        bf16=trial.bf16,
        compiled=False,
        seconds_per_update=seconds,
        train_tokens=budget.train_tokens,
    )
    eager = replace(eager, steps=_updates(train, eager, budget, trial.batches_of))
    if not _should_compile(train, eager.steps * seconds, trial.cache):
        return eager
    say("compiling")
    compiled = replace(eager, compiled=True)
    seconds = seconds_per_update(train, trial, runnable(trial.fast, compiled))
    compiled = replace(compiled, seconds_per_update=seconds)
    pays = train.compile == "on" or seconds < eager.seconds_per_update
    chosen = compiled if pays else eager
    return replace(chosen, steps=_updates(train, chosen, budget, trial.batches_of))


def runnable(fast: FastLoss, decisions: Decisions) -> LossOf:
    """Return the loss function as decided; (batch, steps) are fixed, so it compiles once."""
    if not decisions.compiled:
        return fast
    compiled: LossOf = torch.compile(fast, dynamic=False)
    return compiled


def seconds_per_update(train: TrainConfig, trial: Trial, loss_of: LossOf) -> float:
    """Return what a real update takes while nothing disturbs it; the weights are put back.

    It is the best lower quartile of the rounds, in seconds. Where the updates of a round differ
    much the machine was busy, and they are timed again: a neighbour that works for a few seconds
    must not shorten the whole run.
    """
    weights = list(trial.fast.parameters())
    kept = [weight.detach().clone() for weight in weights]
    flat = Schedule("linear", train.learning_rate, train.learning_rate, 0, 1)
    optimizer = make_optimizer(trial.fast.model, train)
    optimization = Optimization(loss_of, optimizer, flat, train.max_grad_norm, trial.bf16)
    began, best = time.monotonic(), math.inf
    _timed(optimization, trial, 1)  # whatever is made once is made here
    is_settled = train.steps is not None and train.compile == "off"  # only a forecast hangs on it
    for _ in range(1 if is_settled else _ROUNDS):
        spans = _round(optimization, trial)
        best = min(best, _quartile(spans))
        is_calm = statistics.median(spans) <= _CALM * _quartile(spans)
        if is_calm or time.monotonic() - began > _MOST_TRIAL_SECONDS:
            break
    with torch.no_grad():
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value)
    optimizer.zero_grad(set_to_none=True)
    return best


def _round(optimization: Optimization, trial: Trial) -> list[float]:
    spans: list[float] = []
    fewest, most = _TRIAL_UPDATES
    while len(spans) < fewest or (sum(spans) < _TRIAL_SECONDS and len(spans) < most):
        spans.append(_timed(optimization, trial, len(spans) + 2))
    return spans


def _timed(optimization: Optimization, trial: Trial, step: int) -> float:
    began = time.perf_counter()
    update(optimization, trial.batches_of(step), optimization.schedule.peak, step)
    return time.perf_counter() - began


def _quartile(spans: Sequence[float]) -> float:
    """Return the lower quartile."""
    return sorted(spans)[len(spans) // 4]


def _updates(
    train: TrainConfig, decisions: Decisions, budget: TimeBudget, batches_of: BatchesOf
) -> int:
    if train.steps is not None:
        return train.steps
    if train.epochs is not None:
        tokens = sum(batch.ids.numel() for batch in batches_of(1))
        return max(1, math.ceil(train.epochs * budget.train_tokens / tokens))
    seconds = 60 * (train.minutes or 0)
    reserve = min(budget.reserve_seconds, _LARGEST_RESERVE * seconds)
    left = seconds - reserve - (time.monotonic() - budget.began)
    left = max(left, _TRAINED_SHARE * seconds)
    return max(_FEWEST_STEPS, int(left / decisions.seconds_per_update))


def _should_compile(train: TrainConfig, seconds: float, cache: Path | None) -> bool:
    if train.compile == "auto":
        return seconds >= _COMPILE_FROM_SECONDS and compile_works(cache)
    return train.compile == "on"
