"""The live state of one attempt, and what happens after each of its updates."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from training_app.lm.checkpoint import ResumeState, write_checkpoint
from training_app.lm.contract import Point, RunEvents, ShouldStop, StopReason
from training_app.lm.decisions import Decisions
from training_app.lm.loop import EarlyStopping, Optimization, StepReport
from training_app.lm.setup import TrainingSetup, validation_points

_FLUSH_SECONDS = 0.25  # points are handed over at most so often; chosen by hand


@dataclass(slots=True)
class TrainState:
    """One attempt of a run while it trains; losses are means in nats per token."""

    setup: TrainingSetup
    optimization: Optimization
    decisions: Decisions
    events: RunEvents
    should_stop: ShouldStop
    early_stopping: EarlyStopping
    losses: list[tuple[int, float]]  # (step, watched validation loss) of every evaluation
    step: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    last_loss: float | None = None
    stop: StopReason | None = None
    _pending: list[Point] = field(default_factory=list)
    _flushed_at: float = field(default_factory=time.monotonic)
    _saved_at: float = field(default_factory=time.monotonic)
    _saved_step: int = 0

    @property
    def eval_every(self) -> int:
        """Return the updates between evaluations: as told, or ten times in the run."""
        return self.setup.spec.train.eval_every or -(-self.decisions.steps // 10)

    def on_step(self, report: StepReport) -> None:
        """Take in an update: points, and evaluation and checkpoint where they are due.

        Raises DivergedError where the evaluation finds that the loss broke.
        """
        self.step, self.last_loss = report.step, report.loss
        self._pending += [
            ("train/loss", report.step, report.loss),
            ("train/rate", report.step, report.rate),
            ("train/gradient_norm", report.step, report.gradient_norm),
            ("train/tokens_per_second", report.step, report.tokens / report.seconds),
        ]
        is_last = report.step == self.decisions.steps
        if is_last or report.step % self.eval_every == 0:
            self.evaluate()
        elif self._checkpoint_is_due():
            self.checkpoint()
        if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:
            self.flush()

    def ends(self) -> bool:
        """Return whether the attempt is over before its last update; a stop is saved first."""
        self.stop = self.should_stop()
        if self.stop is None:
            return self.early_stopping.is_due
        if self.step < self.decisions.steps and self.step != self._saved_step:
            self.checkpoint()  # written twice, it would lose its validation loss and its badge
        return True

    def evaluate(self) -> None:
        """Evaluate on the fixed validation windows, show the samples, keep the best weights.

        Raises DivergedError where the loss broke; no checkpoint is written then.
        """
        figures, replies = self.setup.look(bf16=self.decisions.bf16)
        watched = figures.watched(self.setup.spec.train.loss_on)
        self.losses.append((self.step, watched))
        self._pending += validation_points(self.step, figures)
        self.flush()
        self.events.samples(self.step, replies)
        is_best = self.early_stopping.observe(self.step, watched)
        if is_best:
            model = self.setup.fast.model
            self.best = {name: w.detach().clone() for name, w in model.named_parameters()}
        self.checkpoint(figures.loss, is_best=is_best)

    def checkpoint(self, validation_loss: float | None = None, *, is_best: bool = False) -> None:
        """Have the whole state made durable; `validation_loss` is in nats per token."""
        self.flush()
        write = partial(
            write_checkpoint,
            model=self.setup.fast.model,
            optimizer=self.optimization.optimizer,
            progress=self.progress(),
        )
        self.events.checkpoint(self.step, write, validation_loss, is_best=is_best)
        self._saved_at, self._saved_step = time.monotonic(), self.step

    def flush(self) -> None:
        """Hand over the points that wait."""
        if self._pending:
            self.events.points(self._pending)
            self._pending = []
        self._flushed_at = time.monotonic()

    def progress(self) -> ResumeState:
        """Return where the run stands, as a checkpoint keeps it."""
        early_stopping = self.early_stopping
        best_loss = early_stopping.best_loss if early_stopping.best_step else None
        return ResumeState(
            self.step,
            best_loss,
            early_stopping.best_step,
            early_stopping.misses,
            early_stopping.far,
            list(self.losses),
            self.setup.prepared.tokenizer_sha256,
        )

    def go_on_from(self, progress: ResumeState) -> None:
        """Take over the counters of a checkpoint."""
        self.step, self.losses = progress.step, list(progress.losses)
        self._saved_step = progress.step
        if progress.best_loss is not None:
            self.early_stopping.best_loss, self.early_stopping.best_step = (
                progress.best_loss,
                progress.best_step,
            )
        self.early_stopping.misses, self.early_stopping.far = progress.misses, progress.far

    def take_best(self) -> None:
        """Put the best weights into the network, where they are not its last ones."""
        with torch.no_grad():
            for name, weight in self.setup.fast.model.named_parameters():
                if name in self.best:
                    weight.copy_(self.best[name])

    def _checkpoint_is_due(self) -> bool:
        train = self.setup.spec.train
        if train.checkpoint_every and self.step % train.checkpoint_every == 0:
            return True
        return time.monotonic() - self._saved_at >= train.checkpoint_seconds
