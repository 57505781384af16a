"""The optimizers that a run may choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training_app.lm.registry import Choice

Matrices = Sequence[tuple[int, int]]  # (in, out) of all that are trained


def nothing(matrices: Matrices) -> float:
    """Return 0: one pass over the weights is too quick to count."""
    return 0.0


def newton_schulz(matrices: Matrices) -> float:
    """Return the operations of Muon's five iterations, three products each, over all matrices."""
    sides = [(min(pair), max(pair)) for pair in matrices]
    return float(sum(5 * (4 * low * low * high + 2 * low**3) for low, high in sides))


@dataclass(frozen=True, slots=True)
class Optimizer(Choice):
    """How weights follow their gradients; the function takes a network and a TrainConfig."""

    state_numbers: int  # fp32 numbers that it keeps for each trained weight, at most
    operations: Callable[[Matrices], float] = nothing  # of one update, besides the gradients


OPTIMIZERS = {
    "adamw": Optimizer(
        "AdamW",
        "the usual one",
        "training_app.lm.optimizers.adamw:make",
        state_numbers=2,
    ),
    "muon": Optimizer(
        "Muon",
        "learns more per update, takes longer for each; AdamW for all that is no hidden matrix",
        "training_app.lm.optimizers.muon:make",
        state_numbers=2,
        operations=newton_schulz,
    ),
}
