"""Muon for the hidden matrices, AdamW for embeddings, head, norms and biases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Muon, Optimizer

from training_app.lm.config import TrainConfig
from training_app.lm.optimizers import adamw


def make(model: nn.Module, train: TrainConfig) -> Optimizer:
    """Return Muon and AdamW as one optimizer over the weights that train.

    Muon orthogonalises the momentum of each matrix (Jordan et al. 2024); its steps are scaled to
    the size of AdamW's (Liu et al. 2025, section 2.2), so one learning rate serves both.
    """
    outer = {id(weight) for weight in _outer(model)}
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    hidden = [w for w in trained if w.dim() == 2 and id(w) not in outer]
    if not hidden:
        return adamw.over(model, trained, train)
    matrices = Muon(
        hidden, weight_decay=train.weight_decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    chosen = {id(weight) for weight in hidden}
    rest = [weight for weight in trained if id(weight) not in chosen]
    return CombinedOptimizer([matrices, *([adamw.over(model, rest, train)] if rest else [])])


def _outer(model: nn.Module) -> list[nn.Parameter]:
    """Return the weights of embeddings and head, which are lists of vectors rather than maps."""
    tables = [part for part in model.modules() if isinstance(part, nn.Embedding)]
    head = [part for name, part in model.named_modules() if name == "lm_head"]
    return [weight for part in [*tables, *head] for weight in part.parameters()]


class CombinedOptimizer(Optimizer):
    """Several optimizers, each with its own weights, that are stepped and saved as one."""

    def __init__(self, parts: list[Optimizer]) -> None:
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._parts = parts
        self.state: defaultdict[torch.Tensor, Any] = defaultdict(dict)
        for part in parts:
            part.state = self.state  # a checkpoint reads and fills this one

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Make one update of all weights; their groups are those of the parts."""
        for part in self._parts:
            part.step()
