"""The learning rate at every update; torch-free, so a form can draw it before the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from training_app.lm.config import ConfigError, TrainConfig
from training_app.lm.decays import DECAYS

FEWEST_UPDATES = 300  # from nothing; with fewer nobody sees an effect; chosen by hand


@dataclass(frozen=True, slots=True)
class Schedule:
    """A straight warm-up to the peak (Goyal et al. 2017, section 2.2), then one of DECAYS.

    Raises ConfigError where the warm-up is not shorter than the run.
    """

    kind: str
    peak: float
    final: float
    warmup_steps: int
    total_steps: int
    tail: float = 0.2  # share of the updates after warm-up that a rate which stays falls in

    def __post_init__(self) -> None:
        if not 0 <= self.warmup_steps < self.total_steps:
            raise ConfigError(
                "warmup_share",
                f"A warm-up of {self.warmup_steps} updates does not fit in {self.total_steps}.",
            )

    @classmethod
    def of(cls, train: TrainConfig, total_steps: int) -> Self:
        """Return the schedule of a run of `total_steps` updates. Raises ConfigError below 1."""
        warmup = min(round(train.warmup_share * total_steps), total_steps - 1)
        return cls(
            train.schedule,
            train.learning_rate,
            train.min_learning_rate,
            warmup,
            total_steps,
            train.decay_share,
        )

    def at(self, step: int) -> float:
        """Return the rate of update `step`, counted from 1."""
        if step <= self.warmup_steps:
            return self.peak * step / (self.warmup_steps + 1)
        done = (step - 1 - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        left = DECAYS[self.kind].left(done, self.tail)
        return self.final + (self.peak - self.final) * left

    def preview(self, count: int = 100) -> list[tuple[int, float]]:
        """Return at most `count` evenly spread (update, rate) pairs, the ends included."""
        count = min(count, self.total_steps)
        last = max(1, count - 1)
        steps = [1 + round(index * (self.total_steps - 1) / last) for index in range(count)]
        return [(step, self.at(step)) for step in steps]
