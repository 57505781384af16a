"""LoRA: thin matrices beside those of a network, added to them when it is done."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from training_app.lm.config import TrainConfig
from training_app.lm.methods.blocks import blocks_of, freeze, matrices_of


class LoraLinear(nn.Module):
    """A linear layer that stands still, and what is learned beside it.

    y = W x + (alpha / rank) B A x, with B = 0 at first (LoRA, Hu et al. 2021, section 4.1).
    """

    def __init__(self, base: Any, rank: int, alpha: float) -> None:
        super().__init__()
        self.base, self.scale = base, alpha / rank
        inner, outer = base.weight.shape if isinstance(base, Conv1D) else base.weight.shape[::-1]
        self.down = nn.Parameter(torch.empty(rank, inner))  # A
        self.up = nn.Parameter(torch.zeros(outer, rank))  # B
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))  # as a linear layer begins

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in)."""
        y: Tensor = self.base(x) + self.beside(x)
        return y

    def beside(self, x: Tensor) -> Tensor:
        """Return what was learned beside the layer: (..., in) -> (..., out)."""
        return functional.linear(functional.linear(x, self.down), self.up) * self.scale

    @torch.no_grad()
    def merged(self) -> nn.Module:
        """Return the layer with what was learned added to its weights."""
        change = self.scale * self.up @ self.down  # (out, in)
        self.base.weight += change.t() if isinstance(self.base, Conv1D) else change
        layer: nn.Module = self.base
        return layer


def add_adapters(model: nn.Module, train: TrainConfig, *, fresh_from: int | None) -> None:
    """Put an adapter beside every linear layer of the blocks; nothing else trains."""
    freeze(model, fresh_from=fresh_from)
    for block in blocks_of(model):
        for part, name, layer in matrices_of(block):
            setattr(part, name, LoraLinear(layer, train.lora_rank, train.lora_alpha))


def merge_adapters(model: nn.Module) -> None:
    """Add all adapters to their layers, so that the network is an ordinary one again."""
    for part in list(model.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, LoraLinear):
                setattr(part, name, child.merged())
