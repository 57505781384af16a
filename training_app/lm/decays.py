"""How the learning rate falls after its warm-up; torch-free, so a form can draw each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decay:
    """A way to fall: `left` takes the share that is done and the share kept for falling."""

    label: str
    left: Callable[[float, float], float]


def linear(done: float, tail: float) -> float:
    """Return 1 falling in a line."""
    return 1 - done


def cosine(done: float, tail: float) -> float:
    """Return 1 falling by half a cosine (SGDR, Loshchilov & Hutter 2017, equation 5)."""
    return (1 + math.cos(math.pi * done)) / 2


def constant(done: float, tail: float) -> float:
    """Return 1: the rate stays."""
    return 1.0


def stable(done: float, tail: float) -> float:
    """Return 1, and at the end one minus a square root: warm-up, stable, decay.

    WSD: Hu et al. 2024 (MiniCPM), section 4; this tail: Hägele et al. 2024, section 3.
    """
    falling = (done - (1 - tail)) / tail
    return 1 - math.sqrt(falling) if falling > 0 else 1.0


DECAYS = {
    "linear": Decay("in a line", linear),
    "cosine": Decay("half a cosine", cosine),
    "wsd": Decay("stays, then falls at the end", stable),
    "constant": Decay("not at all", constant),
}
