"""What a person does with a model besides training it: delete it."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction

from otto_web.lib import audit
from otto_web.lib.work.claims import cancel
from training_app.lm.config import TrainingError
from training_app.models import DELETED, Base, ModelState, TrainedModel
from training_app.models.uses import NeedsModels


class ModelInUseError(TrainingError):
    """Something that people use needs this model."""


class ModelGoneError(TrainingError):
    """The model was deleted: nothing can begin with it any more."""


@transaction.atomic
def delete_model(model: TrainedModel, *, actor: User | None) -> None:
    """Delete a model that nothing uses; the row stays as a tombstone, the sweep frees the disk."""
    locked = TrainedModel.objects.select_for_update().get(pk=model.pk)
    if locked.state == ModelState.DELETED:
        return
    if uses := _uses_of(locked.pk):
        raise ModelInUseError(f"This model is in use: {'; '.join(uses)}.")
    TrainedModel.objects.filter(pk=model.pk).update(state=ModelState.DELETED)
    cancel(Base.objects.filter(model=locked), DELETED, model=None)
    audit.record(actor, "model.deleted", model, before={"name": str(model)})


def _uses_of(model_id: UUID) -> list[str]:
    """Return what needs the model now, whichever app it belongs to."""
    kinds = [kind for kind in apps.get_models() if issubclass(kind, NeedsModels)]
    return [use for kind in kinds for use in kind.uses_of(model_id)]


def hold_model(model: TrainedModel) -> None:
    """Keep the model from being deleted until the caller's transaction has named it.

    Raises ModelGoneError where it is deleted already.
    """
    ready = TrainedModel.objects.ready().select_for_update(no_key=True)
    if ready.filter(pk=model.pk).first() is None:
        raise ModelGoneError(f"{model} was deleted meanwhile. Choose another model.")
