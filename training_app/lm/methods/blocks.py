"""The parts of a network that methods choose from, by what they are in any family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D


def blocks_of(model: Any) -> nn.ModuleList:
    """Return the blocks of a network, the lowest first."""
    lists = [part for part in model.base_model.children() if isinstance(part, nn.ModuleList)]
    found: nn.ModuleList = lists[0]
    return found


def last_norm_of(model: Any) -> nn.Module:
    """Return the norm between the last block and the head."""
    norms = [part for name, part in model.base_model.named_children() if name in {"norm", "ln_f"}]
    found: nn.Module = norms[0]
    return found


def matrices_of(block: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Yield each linear layer of a block, after the part it belongs to and its name there."""
    for part in list(block.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.Linear | Conv1D):
                yield part, name, child


def tables_of(model: Any) -> list[nn.Parameter]:
    """Return the weights that tokens go in and out by; once where they are the same."""
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    return [weight for end in ends for weight in end.parameters()]


def freeze(model: nn.Module, *, has_grown: bool) -> None:
    """Let no weight train, but the tables where tokens were added that nobody trained yet."""
    for weight in model.parameters():
        weight.requires_grad = False
    for weight in tables_of(model) if has_grown else []:
        weight.requires_grad = True
