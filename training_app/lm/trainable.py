"""From a specification and a network to what trains: the one place where both meet."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from training_app.lm.config import RunSpec, TrainConfig
from training_app.lm.methods.lora import merge_adapters
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS


def make_trainable(model: nn.Module, spec: RunSpec, *, fresh_from: int | None = None) -> None:
    """Let those weights train that the run's method names.

    The model never saw the tokens from `fresh_from` on: their rows train with any method.
    """
    METHODS[spec.method].load()(model, spec.train, fresh_from=fresh_from)


def make_optimizer(model: nn.Module, train: TrainConfig) -> Optimizer:
    """Return the run's optimizer over the weights that train."""
    optimizer: Optimizer = OPTIMIZERS[train.optimizer].load()(model, train)
    return optimizer


def make_ordinary(model: nn.Module) -> None:
    """Undo what `make_trainable` added: afterwards the network is what any tool expects."""
    merge_adapters(model)
    for weight in model.parameters():
        weight.requires_grad = True
