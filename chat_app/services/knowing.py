"""What deployments answer from: chosen and changed without training, quoted without a model."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from chat_app.models import Deployment, DeploymentEvent, Mode
from chat_app.services.deployments import AliasTakenError
from chat_app.serving.errors import ServingError
from datasets_app.models import Knowledge
from otto_web.lib import audit
from training_app.services.trained_models import ModelGoneError, hold_model


@transaction.atomic
def deploy_quotes(knowledge: Knowledge, alias: str, *, by: User | None) -> Deployment:
    """Let the known answers themselves answer under a fresh name; no model is needed."""
    deployment, is_fresh = Deployment.objects.select_for_update().get_or_create(
        alias=alias, defaults={"knowledge": _built(knowledge), "mode": Mode.QUOTE}
    )
    if not is_fresh:
        raise AliasTakenError(alias)
    _tell(deployment, {}, by)
    found: Deployment = deployment
    return found


@transaction.atomic
def set_knowledge(
    deployment: Deployment, knowledge: Knowledge | None, mode: str, *, by: User | None
) -> None:
    """Let answers come from this knowledge, written or quoted, from the next question on."""
    found: Deployment = Deployment.objects.select_for_update().get(pk=deployment.pk)
    if mode == Mode.QUOTE and knowledge is None:
        raise ServingError("There is nothing to quote. Choose what it answers from.")
    if mode == Mode.WRITE and found.model_id is None:
        raise ServingError("No model writes under this name yet. Let one answer first.")
    if mode == Mode.WRITE and found.model is not None:
        try:
            hold_model(found.model)
        except ModelGoneError as error:
            raise ServingError(str(error)) from error
    before = found.said
    found.knowledge, found.mode = (_built(knowledge) if knowledge else None), mode
    if mode == Mode.QUOTE:
        found.next_model = None  # it would write
        found.is_active = True
    found.save(update_fields=["knowledge", "mode", "next_model", "is_active"])
    _tell(found, before, by)


def _built(knowledge: Knowledge) -> Knowledge:
    if not knowledge.path:
        raise ServingError("This knowledge is not built yet. Wait for it, or choose another one.")
    return knowledge


def _tell(deployment: Deployment, before: dict[str, str], by: User | None) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(switched_at=Now())
    detail = deployment.how[:200]  # no model took over, so there is none to go back to
    DeploymentEvent.objects.create(deployment=deployment, actor=by, detail=detail)
    audit.record(by, "set knowledge", deployment, before=before, after=deployment.said)
