"""What figures and curves are called in words; needs no torch, so that pages use the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The band is taken for tokens of this size, so vocabularies compare. Chosen by hand as about what a
# token of GPT-2's holds of English text; not measured on any data here.
GPT2_BYTES_PER_TOKEN = 4.5

FLATTERING = 0.2  # leaked share from which figures say little about new text; chosen by hand
# Perplexities per GPT-2-sized token, chosen by hand: ten times worse is the next word.
BANDS: tuple[tuple[float, str, str], ...] = (
    (
        10,
        "very low",
        "The text surprises it hardly ever: it is very regular, or known by heart.",
    ),
    (100, "low", "It writes in the style of your data."),
    (1000, "fair", "It is readable, with mistakes. More minutes or more data will help."),
    (math.inf, "high", "It writes mostly gibberish. Train longer or give it more data."),
)


@dataclass(frozen=True, slots=True)
class LossCurve:
    """How the validation loss went: (step, nats per token) of every evaluation, in order.

    Step 0 is before training. It is the loss that is watched: with `loss_on` answers, theirs.
    """

    losses: Sequence[tuple[int, float]]
    loss_on: str = "all"

    @property
    def best(self) -> tuple[int, float]:
        """Return the step and the loss of the best evaluation, the earliest of equal ones."""
        return min(self.losses, key=lambda pair: pair[1])

    @property
    def is_overfitting(self) -> bool:
        """Return whether it was clearly better before, and not only before training."""
        if len(self.losses) < 3:  # this and the share below are chosen by hand
            return False
        best_step, best = self.best
        return bool(best_step) and self.losses[-1][1] > 1.02 * best

    def remark(self) -> str:
        """Return what the curve says beyond its last value, or nothing."""
        if len(self.losses) < 3:  # this and the shares below are chosen by hand
            return ""
        best_step, best = self.best
        last = self.losses[-1][1]
        if last > best * 1.02 and not best_step:
            return "It got worse than what it began with: lower the learning rate."
        if self.is_overfitting:
            return f"It overfits since update {best_step}; the best state is kept."
        if self.losses[0][1] - best < 0.05 * self.losses[0][1]:
            return "The loss stayed flat: it learned almost nothing."
        return ""
