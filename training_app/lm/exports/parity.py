"""What every format shows before anybody is offered it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training_app.lm.config import TrainingError


class ParityError(TrainingError):
    """The exported model does not compute what torch computes."""


@dataclass(frozen=True, slots=True)
class ParityReport:
    """How far an export is from torch, over all prompts."""

    prompts: int
    largest_error: float  # relative to the largest logit
    greedy_tokens: int  # compared, all equal

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)
