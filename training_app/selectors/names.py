"""Finding what a script names: a model, by id, by name, or by name and number."""

from __future__ import annotations

from uuid import UUID

from training_app.lm.config import TrainingError
from training_app.models import TrainedModel


def model_named(text: str) -> TrainedModel:
    """Return the model of this id, of this name and number, or the newest of this name."""
    there = TrainedModel.objects.ready().select_related("run__version")
    try:
        found = there.filter(pk=UUID(text))
    except ValueError:
        name, _, number = text.rpartition(" ")
        found = there.filter(name=text)
        if not found.exists() and number.isdigit():
            found = there.filter(name=name, number=int(number))
    model = found.order_by("-number").first()
    if model is None:
        names = ", ".join(str(row) for row in there.order_by("name", "number")[:20]) or "none yet"
        raise TrainingError(f"There is no model “{text}”. Models: {names}.")
    return model
