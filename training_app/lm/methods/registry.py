"""The ways to train: what a run begins with, and which of its weights learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from training_app.lm.optimizers.registry import Matrices
from training_app.lm.registry import Choice


class Sizes(Protocol):
    """What of a network's sizes says how many of its weights train."""

    @property
    def layers(self) -> int:
        """Return the number of blocks."""

    @property
    def parameters(self) -> int:
        """Return the number of all weights."""

    @property
    def block_parameters(self) -> int:
        """Return the number of weights of one block."""

    @property
    def outer_parameters(self) -> int:
        """Return the number of weights of the last norm."""

    @property
    def block_matrices(self) -> Matrices:
        """Return (in, out) of the linear layers of one block."""


def every_weight(sizes: Sizes, rank: int) -> int:
    """Return all of them."""
    return sizes.parameters


def upper_blocks(sizes: Sizes, rank: int) -> int:
    """Return those of the upper half of the blocks, and of what comes after them."""
    return upper_layers(sizes.layers) * sizes.block_parameters + sizes.outer_parameters


def adapters(sizes: Sizes, rank: int) -> int:
    """Return those of two thin matrices beside each matrix of a block."""
    return sizes.layers * rank * sum(inner + outer for inner, outer in sizes.block_matrices)


def every_matrix(sizes: Sizes, rank: int) -> Matrices:
    """Return the matrices of all blocks."""
    return list(sizes.block_matrices) * sizes.layers


def upper_matrices(sizes: Sizes, rank: int) -> Matrices:
    """Return the matrices of the upper blocks."""
    return list(sizes.block_matrices) * upper_layers(sizes.layers)


def thin_matrices(sizes: Sizes, rank: int) -> Matrices:
    """Return the matrices of all adapters."""
    pairs = [pair for i, o in sizes.block_matrices for pair in ((i, rank), (rank, o))]
    return pairs * sizes.layers


def upper_layers(layers: int) -> int:
    """Return how many of the blocks are the upper half; one block is all of it."""
    return layers - layers // 2


@dataclass(frozen=True, slots=True)
class Method(Choice):
    """A way to train; the function takes a network, a TrainConfig and the first new token.

    It makes the network train as it should, before the optimizer is made.
    """

    is_started: bool  # from a model that has learned already
    warm_rate: float  # a learning rate above it makes such a model forget
    work: float  # of one update, as a share of what it takes to train every weight
    trained: Callable[[Sizes, int], int]  # weights, of a network and a rank
    matrices: Callable[[Sizes, int], Matrices]


DEFAULT_METHOD = "full"  # of a run that starts from a model
_WHOLE = "training_app.lm.methods.whole:train_all"
# `work` counts products: of three for each weight and token one is forward, one gives the gradient
# of the weight, one that of what came in. Below the upper half only the first is left.
METHODS = {
    "scratch": Method(
        "from scratch",
        "nothing is known before",
        _WHOLE,
        is_started=False,
        warm_rate=1.0,
        work=1.0,
        trained=every_weight,
        matrices=every_matrix,
    ),
    "full": Method(
        "all weights",
        "learns most, needs most memory",
        _WHOLE,
        is_started=True,
        warm_rate=5e-4,
        work=1.0,
        trained=every_weight,
        matrices=every_matrix,
    ),
    "upper_half": Method(
        "the upper half of the layers",
        "about two thirds of the time; what is below stays as it is",
        "training_app.lm.methods.upper_half:train_upper_half",
        is_started=True,
        warm_rate=5e-4,
        work=2 / 3,
        trained=upper_blocks,
        matrices=upper_matrices,
    ),
    "lora": Method(
        "LoRA",
        "thin matrices beside those of the model, added to them at the end; least memory",
        "training_app.lm.methods.lora:add_adapters",
        is_started=True,
        warm_rate=2e-3,
        work=2 / 3,
        trained=adapters,
        matrices=thin_matrices,
    ),
}
