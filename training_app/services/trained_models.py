"""What a person does with a model besides training it: delete it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import PROTECT

from otto_web.lib import audit
from training_app.lm.config import TrainingError
from training_app.models import ModelState, TrainedModel


class ModelInUseError(TrainingError):
    """Something that people use is made of this model."""


@transaction.atomic
def delete_model(model: TrainedModel, *, actor: User | None) -> None:
    """Delete a model that nothing uses; the row stays as a tombstone, the sweep frees the disk."""
    locked = TrainedModel.objects.select_for_update().get(pk=model.pk)
    if locked.state == ModelState.DELETED:
        return
    if users := _in_use_by(locked):
        raise ModelInUseError(
            f"This model is in use ({', '.join(users)}). Deploy another one there first."
        )
    TrainedModel.objects.filter(pk=model.pk).update(state=ModelState.DELETED)
    audit.record(actor, "model.deleted", model, before={"name": str(model)})


def _in_use_by(model: TrainedModel) -> list[str]:
    """Return what protects the model, whichever app it belongs to."""
    names = []
    for relation in TrainedModel._meta.related_objects:
        related = relation.related_model
        if isinstance(related, str) or relation.on_delete is not PROTECT:
            continue
        rows = related._base_manager.filter(**{relation.field.name: model})  # noqa: SLF001
        if rows.exists():
            names.append(str(related._meta.verbose_name_plural))
    return names
