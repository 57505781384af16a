"""The training loop: it knows tensors; everything outside comes in as functions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training_app.lm.config import TrainingError
from training_app.lm.packing import Windows
from training_app.lm.schedule import Schedule


class DivergedError(TrainingError):
    """The loss broke; the last good state is kept."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One micro-batch on its device; a target whose weight is 0 does not count."""

    ids: Tensor  # (batch, steps)
    targets: Tensor  # (batch, steps)
    weights: Tensor  # (batch, steps)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer update did."""

    step: int
    loss: float  # mean over the counted tokens of the whole update
    rate: float
    gradient_norm: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the outside does after each update; `should_stop` is asked last."""

    on_step: Callable[[StepReport], None]
    should_stop: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Optimization:
    """What an update is made with."""

    loss_of: Callable[[Tensor, Tensor, Tensor], Tensor]
    optimizer: Optimizer
    schedule: Schedule
    max_grad_norm: float
    bf16: bool


def to_batch(windows: Windows, device: torch.device, *, answers_only: bool) -> Batch:
    """Return the windows as (batch, steps) tensors; `answers_only` gives weight to answers only."""
    weights = windows.counted * windows.answers if answers_only else windows.counted
    ids, targets = (torch.from_numpy(values).to(device) for values in windows[:2])
    return Batch(ids, targets, torch.from_numpy(weights).to(device, torch.float32))


def train(
    optimization: Optimization,
    batches_of: Callable[[int], Sequence[Batch]],
    steps: Iterable[int],
    hooks: Hooks,
) -> None:
    """Make the updates `steps`, until they end or `should_stop` says so.

    `batches_of` a step gives its micro-batches, (batch, steps) each. Raises DivergedError where the
    loss breaks.
    """
    for step in steps:
        began = time.perf_counter()
        batches = batches_of(step)
        rate = optimization.schedule.at(step)
        loss, norm = update(optimization, batches, rate, step)
        tokens = sum(batch.ids.numel() for batch in batches)
        seconds = time.perf_counter() - began
        hooks.on_step(StepReport(step, loss, rate, norm, tokens, seconds))
        if hooks.should_stop():
            return


def update(
    optimization: Optimization, batches: Sequence[Batch], rate: float, step: int
) -> tuple[float, float]:
    """Make one update and return loss, in nats per token, and gradient norm before it is clipped.

    Batches are (batch, steps). The loss is the mean over the counted tokens of all micro-batches
    together, so accumulation equals the big batch also where they count differently many tokens.
    All gradients together are scaled to a norm of `max_grad_norm` at most (Pascanu et al. 2013,
    section 3.2). Raises DivergedError for a loss or norm that is no number; no weight is changed
    then.
    """
    counted = torch.stack([batch.weights.sum() for batch in batches]).sum().clamp(min=1)
    optimizer = optimization.optimizer
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for batch in batches:
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=optimization.bf16):
            loss = optimization.loss_of(batch.ids, batch.targets, batch.weights) / counted
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    norm = float(nn.utils.clip_grad_norm_(weights, optimization.max_grad_norm or math.inf))
    if not (math.isfinite(total) and math.isfinite(norm)):
        raise DivergedError(
            f"The loss became {total} at update {step}; the last good checkpoint is kept."
            " Try again with a tenth of the learning rate."
        )
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return total, norm


@dataclass(slots=True)
class EarlyStopping:
    """Looks at validation losses: which was best, is it getting nowhere, is it breaking."""

    patience: int
    best_loss: float = math.inf
    best_step: int = 0
    misses: int = 0  # evaluations since the best one
    far: int = 0  # evaluations in a row far above the best one

    def observe(self, step: int, loss: float) -> bool:
        """Take in an evaluation, in nats per token; return whether it is the best so far.

        Raises DivergedError where it is no number, and where _FAR_LIMIT in a row are far above the
        best.
        """
        if not math.isfinite(loss):
            raise DivergedError(f"The validation loss became {loss} at update {step}.")
        if loss < self.best_loss:
            self.best_loss, self.best_step, self.misses, self.far = loss, step, 0, 0
            return True
        self.misses += 1
        self.far = self.far + 1 if loss > self.best_loss + _FAR else 0
        if self.far >= _FAR_LIMIT:
            raise DivergedError(
                f"The validation loss is {loss:.2f} at update {step}, far above its best"
                f" {self.best_loss:.2f} at update {self.best_step}, which is kept."
                " Try again with a tenth of the learning rate."
            )
        return False

    @property
    def is_due(self) -> bool:
        """Return whether the run should stop early: nothing got better for long."""
        return 0 < self.patience <= self.misses


# Both chosen by hand.
_FAR = 1.5  # nats per token above the best: no longer overfitting, but breaking
_FAR_LIMIT = 3  # evaluations in a row
