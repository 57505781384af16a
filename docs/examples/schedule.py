"""A schedule of training: the learning rate falls in four stairs."""

from __future__ import annotations

import math

from training_app.lm.config import TrainConfig
from training_app.lm.decays import DECAYS, Decay


def stairs(done: float, tail: float) -> float:
    """Return the share of the rate that is left when `done` of the updates are over."""
    return 1 - math.floor(done * 4) / 4


DECAYS["stairs"] = Decay("in four stairs", stairs)  # in the house: a line of decays.py

run = TrainConfig(epochs=3, schedule="stairs", learning_rate=1e-3)  # refused if nobody knew it
for done in (0.0, 0.3, 0.6, 0.9):
    print(f"{done:.0%} done: {run.learning_rate * DECAYS[run.schedule].left(done, 0.2):.6f}")
