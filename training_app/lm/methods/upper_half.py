"""The upper half of the blocks trains, and what comes after it."""

from __future__ import annotations

from itertools import chain

from torch import nn

from training_app.lm.config import TrainConfig
from training_app.lm.methods.blocks import blocks_of, freeze, last_norm_of
from training_app.lm.methods.registry import upper_layers


def train_upper_half(model: nn.Module, train: TrainConfig, *, fresh_from: int | None) -> None:
    """Let the upper blocks and the last norm train; the lower ones and the tables stay."""
    freeze(model, fresh_from=fresh_from)
    blocks = blocks_of(model)
    first = len(blocks) - upper_layers(len(blocks))
    upper = [block.parameters() for block in blocks[first:]]
    for weight in chain(*upper, last_norm_of(model).parameters()):
        weight.requires_grad = True
