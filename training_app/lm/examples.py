"""Whole examples in batches of like length: none sees another, and little of a batch is padding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from training_app.lm.config import TrainConfig
from training_app.lm.loop import Batch, to_batch
from training_app.lm.packing import Packed, Windows, gather

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """The conversations of a packed split, each a window of its own that begins at position 0."""

    packed: Packed
    begins: Array  # (examples,), in tokens
    lengths: Array  # (examples,), in tokens

    @classmethod
    def of(cls, packed: Packed) -> Examples:
        """Return the examples of a split, in its order."""
        ends = np.append(packed.starts[1:], packed.facts.tokens)
        return cls(packed, np.asarray(packed.starts), ends - packed.starts)

    def windows(self, chosen: Array) -> Windows:
        """Return the examples `chosen`, (examples,), as one batch, (examples, longest - 1).

        What follows an example in its row belongs to others and does not count; attention is
        causal, so the example never sees it.
        """
        targets = self.lengths[chosen] - 1
        return gather(self.packed, self.begins[chosen], targets, int(targets.max()))


class ExampleBatches:
    """The micro-batches of a run: (seed, number) is all that chooses their examples."""

    def __init__(self, packed: Packed, *, budget: int, seed: int) -> None:
        """`budget` is the most tokens of a micro-batch, what is padding included."""
        self._examples, self._seed = Examples.of(packed), seed
        self._cuts = _cuts(np.sort(self._examples.lengths), budget)
        self._dealt = lru_cache(maxsize=2)(self._deal)

    @property
    def a_pass(self) -> int:
        """Return how many micro-batches hold every example once."""
        return len(self._cuts) - 1

    def at(self, number: int) -> Windows:
        """Return micro-batch `number` from 0 on, (examples, longest - 1); each pass deals anew."""
        a_pass, place = divmod(number, self.a_pass)
        return self._examples.windows(self._dealt(a_pass)[place])

    def _deal(self, a_pass: int) -> list[Array]:
        chance = np.random.default_rng((self._seed, a_pass))
        lengths = self._examples.lengths
        order = np.lexsort(
            (chance.random(len(lengths)), lengths)
        )  # by length, equal ones at random
        batches = np.split(order, self._cuts[1:-1])
        return [batches[place] for place in chance.permutation(len(batches))]


@dataclass(frozen=True, slots=True)
class ExampleLoader:
    """Gives each update its micro-batches of whole examples; only their answers count."""

    train: TrainConfig
    batches: ExampleBatches
    context: int
    device: torch.device

    @classmethod
    def of(cls, train: TrainConfig, packed: Packed, context: int, device: torch.device) -> Self:
        """Return the loader of a split whose conversations are examples of at most `context`."""
        budget = train.micro_batch * context
        return cls(train, ExampleBatches(packed, budget=budget, seed=train.seed), context, device)

    def __call__(self, step: int) -> list[Batch]:
        """Return the micro-batches of an update from 1 on, (examples, longest - 1) each."""
        first = (step - 1) * self.train.accumulation
        numbers = range(first, first + self.train.accumulation)
        return [to_batch(self.batches.at(n), self.device, answers_only=True) for n in numbers]


def _cuts(lengths: Array, budget: int) -> list[int]:
    """Return where the sorted lengths are cut, so that rows times longest is at most `budget`."""
    cuts = [0]
    for place, length in enumerate(lengths.tolist()):
        if place > cuts[-1] and (place + 1 - cuts[-1]) * length > budget:
            cuts.append(place)
    return [*cuts, len(lengths)]
