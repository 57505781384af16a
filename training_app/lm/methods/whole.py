"""Every weight trains."""

from __future__ import annotations

from torch import nn

from training_app.lm.config import TrainConfig


def train_all(model: nn.Module, train: TrainConfig, *, fresh_from: int | None) -> None:
    """Let every weight of the network follow its gradient."""
    model.requires_grad_()
