"""AdamW that decays matrices and leaves norms and biases alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import AdamW

from training_app.lm.config import TrainConfig
from training_app.lm.methods.blocks import fresh_tables_of


def make(model: nn.Module, train: TrainConfig) -> AdamW:
    """Return AdamW over the weights that train.

    AdamW is Loshchilov & Hutter 2019, algorithm 2, here in torch's fused form.
    """
    return over(model, [weight for weight in model.parameters() if weight.requires_grad], train)


def over(model: nn.Module, weights: Sequence[nn.Parameter], train: TrainConfig) -> AdamW:
    """Return AdamW over these weights of a model.

    Only matrices decay, and no table of which only new rows train: decay would change all of it.
    """
    fresh = {id(weight) for weight in fresh_tables_of(model)}
    decays = {id(w): w.dim() > 1 and id(w) not in fresh for w in weights}
    groups = [
        {"params": [w for w in weights if decays[id(w)]], "weight_decay": train.weight_decay},
        {"params": [w for w in weights if not decays[id(w)]], "weight_decay": 0.0},
    ]
    betas = (train.beta1, train.beta2)
    return AdamW([group for group in groups if group["params"]], betas=betas, fused=True)
