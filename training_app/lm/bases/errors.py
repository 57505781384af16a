"""Why a file or folder does not become a base model, as a sentence for a person."""

from __future__ import annotations

from training_app.lm.config import TrainingError


class BaseError(TrainingError):
    """What was brought is no model, or none that OTTO takes in; nothing of it is kept."""
