"""The parts of a network that methods choose from, by what they are in any family."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn
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
    return list(dict.fromkeys(weight for end in ends for weight in end.parameters()))


def fresh_tables_of(model: Any) -> list[nn.Parameter]:
    """Return the tables of which only new rows train: those that train where others stand still."""
    if all(weight.requires_grad for weight in model.parameters()):
        return []
    return [weight for weight in tables_of(model) if weight.requires_grad]


def freeze(model: nn.Module, *, fresh_from: int | None) -> None:
    """Let no weight train, but the rows of tokens that were added and that nobody trained yet.

    They are those from `fresh_from` on; None where no token was added.
    """
    for weight in model.parameters():
        weight.requires_grad = False
    for weight in tables_of(model) if fresh_from is not None else []:
        weight.requires_grad = True
        weight.register_hook(partial(_without_rows_before, fresh_from))  # type: ignore[no-untyped-call]


def _without_rows_before(first: int | None, gradient: Tensor) -> Tensor:
    """Return the gradient of a table, (entries, ...), in which the rows before are 0."""
    kept = gradient.clone()
    kept[:first] = 0
    return kept
