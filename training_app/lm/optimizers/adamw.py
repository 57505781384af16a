"""AdamW that decays matrices and leaves norms and biases alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import AdamW

from training_app.lm.config import TrainConfig


def make(model: nn.Module, train: TrainConfig) -> AdamW:
    """Return AdamW over the weights that train.

    AdamW is Loshchilov & Hutter 2019, algorithm 2, here in torch's fused form.
    """
    return over([weight for weight in model.parameters() if weight.requires_grad], train)


def over(weights: Sequence[nn.Parameter], train: TrainConfig) -> AdamW:
    """Return AdamW over these weights; only matrices decay."""
    groups = [
        {"params": [w for w in weights if w.dim() > 1], "weight_decay": train.weight_decay},
        {"params": [w for w in weights if w.dim() <= 1], "weight_decay": 0.0},
    ]
    betas = (train.beta1, train.beta2)
    return AdamW([group for group in groups if group["params"]], betas=betas, fused=True)
