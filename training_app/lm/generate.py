"""Likeliest answers straight from torch, many prompts at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training_app.lm.copied_numbers import CopiedNumbers
from training_app.lm.model import context_of

AT_ONCE = 16  # prompts
MOST_TOKENS_AT_ONCE = 8_192  # of prompts that are read together, so that memory does; by hand


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ids of a prompt, and how many may follow them."""

    ids: Sequence[int]
    limit: int
    numbers: CopiedNumbers | None = None  # the only ones that may be written


@dataclass(slots=True)
class _Answer:
    """What is written after a prompt so far."""

    prompt: Sequence[int]
    limit: int
    numbers: CopiedNumbers | None = None
    written: list[int] = field(default_factory=list)

    def likeliest(self, scores: Tensor) -> int:
        """Return the id that comes next by scores (vocab_size,)."""
        number = int(scores.argmax())
        if self.numbers is None:
            return number
        allowed = self.numbers.next().masked(scores.cpu().numpy(), np.array([number]))
        return int(allowed.argmax())

    def takes(self, number: int, stop: Collection[int]) -> bool:
        """Take the next id, unless it ends the answer; return whether more may follow."""
        if number in stop:
            return False
        self.written.append(number)
        if self.numbers is not None:
            self.numbers.take(number)
        return len(self.written) < self.limit


@torch.no_grad()
def generate(model: Any, prompts: Sequence[Wanted], *, stop: Collection[int]) -> list[list[int]]:
    """Return the likeliest ids after each prompt; a stop id ends them and is not one of them.

    Prompt and answer together never exceed the context, so there may be fewer than wanted, or none.
    """
    was_training = model.training
    model.eval()
    context = context_of(model)
    answers = [
        _Answer(one.ids, min(one.limit, context - len(one.ids)), one.numbers) for one in prompts
    ]
    for batch in _batches([one for one in answers if one.limit > 0]):
        _write(model, batch, stop)
    model.train(was_training)
    return [one.written for one in answers]


def _batches(answers: Sequence[_Answer]) -> Iterator[list[_Answer]]:
    """Yield answers to prompts of about one length, so that little is computed on padding."""
    batch: list[_Answer] = []
    for one in sorted(answers, key=lambda answer: len(answer.prompt)):
        tokens = len(one.prompt) * (len(batch) + 1)
        if batch and (tokens > MOST_TOKENS_AT_ONCE or len(batch) == AT_ONCE):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _write(model: Any, batch: list[_Answer], stop: Collection[int]) -> None:
    """Write the answers of a batch: prompts are padded on the left, what has ended drops out."""
    device = next(model.parameters()).device
    widest = len(batch[-1].prompt)
    pads = [widest - len(one.prompt) for one in batch]
    ids = [[0] * pad + list(one.prompt) for pad, one in zip(pads, batch, strict=True)]
    step = torch.tensor(ids, device=device)
    mask = (torch.arange(widest) >= torch.tensor(pads)[:, None]).long().to(device)
    past = None
    while batch:
        out = model(
            input_ids=step,
            past_key_values=past,
            use_cache=True,
            logits_to_keep=1,
            **(_places(mask, step.shape[1]) if any(pads) else {}),
        )
        past, scores = out.past_key_values, out.logits[:, -1].float()
        numbers = [one.likeliest(scores[row]) for row, one in enumerate(batch)]
        going = [row for row, one in enumerate(batch) if one.takes(numbers[row], stop)]
        if len(going) < len(batch):
            kept = torch.tensor(going, dtype=torch.long, device=device)
            past.batch_select_indices(kept)
            batch, mask = [batch[row] for row in going], mask[kept]
        step = torch.tensor([[numbers[row]] for row in going], device=device)
        mask = torch.cat([mask, mask.new_ones(len(going), 1)], dim=1)


def _places(mask: Tensor, steps: int) -> dict[str, Tensor]:
    """Return what tells a network which of its ids are padding: (B, T), the last steps of T."""
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    return {"attention_mask": mask, "position_ids": positions[:, -steps:]}
