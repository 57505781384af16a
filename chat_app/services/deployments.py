"""Deploying: an alias points at a model as soon as its serving file is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from chat_app.models import (
    QUICK,
    Deployment,
    DeploymentEvent,
    Generation,
    Mode,
    ServingExport,
)
from chat_app.selectors.grounding import knowledge_after, knowledge_learnt
from chat_app.serving.errors import ServingError
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, order_anew
from otto_web.lib.work.states import UNDER_WAY, State
from training_app.models import TrainedModel
from training_app.services.trained_models import ModelGoneError, hold_model

REPLACED = "replaced"  # the reason of a serving file that another one stands for


class AliasTakenError(ServingError):
    """Somebody answers under this name already."""

    def __init__(self, alias: str) -> None:
        super().__init__(
            f"“{alias}” is there already. Open it to let another model answer, "
            "or choose another name."
        )


@transaction.atomic
def order_export(model: TrainedModel, *, by: User | None, precision: str = "") -> ServingExport:
    """Order the serving file of a model, once; one that failed is tried again.

    Where no precision is asked for, the file that is there or on its way will do; else 8-bit
    weights are tried. Nothing is ordered beside what is on its way.
    """
    TrainedModel.objects.select_for_update().filter(pk=model.pk).first()
    rows = ServingExport.objects.filter(model=model).order_by("-queued_at", "-pk")
    export = rows.filter(state__in=UNDER_WAY).first()
    if export is None and not precision:
        export = rows.filter(state=State.SUCCEEDED).first() or rows.first()
    if export is None:
        export, _ = ServingExport.objects.get_or_create(
            model=model, precision=precision or QUICK, defaults={"created_by": by}
        )
    gone = ServingExport.objects.filter(pk=export.pk, state__in=(State.FAILED, State.CANCELLED))
    if order_anew(gone, created_by=by):
        export.refresh_from_db()
    if export.state == State.QUEUED:
        hint(ServingExport.job, export.pk)
    return export


@transaction.atomic
def choose_precision(model: TrainedModel, precision: str, *, by: User | None) -> ServingExport:
    """Let all deployments of the model answer in this precision, once its file is checked."""
    export = order_export(model, by=by, precision=precision)
    active = Deployment.objects.filter(model=model, is_active=True, export__isnull=False)
    others = active.exclude(export=export)
    if export.state == State.SUCCEEDED:
        for deployment in others.select_for_update(of=("self",)):
            switch(deployment, export, by=by)
    else:
        others.update(next_model=model)
    audit.record(by, "choose precision", model, after={"precision": precision})
    return export


@transaction.atomic
def release_unserved(export: ServingExport) -> list[str]:
    """End the model's other serving files that no deployment answers from; return their precisions.

    What waits for an answer, and what is retired, goes on with this one.
    """
    others = ServingExport.objects.filter(model=export.model, state=State.SUCCEEDED)
    active = Deployment.objects.filter(is_active=True, export__model=export.model)
    unserved = others.exclude(pk=export.pk).exclude(pk__in=active.values("export"))
    found = list(unserved.select_for_update())
    Generation.objects.filter(export__in=found, state=State.QUEUED).update(export=export)
    Deployment.objects.filter(export__in=found).update(export=export)
    cancel(ServingExport.objects.filter(pk__in=[other.pk for other in found]), REPLACED)
    return [other.precision for other in found]


@transaction.atomic
def deploy(
    model: TrainedModel, alias: str, *, by: User | None, takes_over: bool = True
) -> Deployment:
    """Point the alias at the model: at once when it is checked, else as soon as it is.

    Until then an alias that answers goes on with its present model, and a retired one is silent.
    A name that is there is only taken over where the caller `takes_over`.
    """
    if not model.is_chat:
        raise ServingError(
            f"{model} was trained on plain text only: it continues text but does not answer. "
            "Train on conversations to get a model for a chat."
        )
    export = order_export(model, by=by)
    try:
        hold_model(model)
    except ModelGoneError as error:
        raise ServingError(str(error)) from error
    deployment, is_fresh = Deployment.objects.select_for_update().get_or_create(
        alias=alias,
        defaults={"model": model, "next_model": model, "knowledge": knowledge_learnt(model)},
    )
    if not is_fresh and not takes_over:
        raise AliasTakenError(alias)
    if not is_fresh:
        deployment.next_model = model
        deployment.save(update_fields=["next_model"])
    audit.record(by, "deploy", deployment, after={"model": str(model.pk)})
    if export.state == State.SUCCEEDED:
        switch(deployment, export, by=by)
    found: Deployment = deployment
    return found


@transaction.atomic
def switch(deployment: Deployment, export: ServingExport, *, by: User | None) -> None:
    """Let new answers come from this export; answers under way end on the old one."""
    before = deployment.said
    changed: dict[str, Any] = {
        "model": export.model,
        "export": export,
        "next_model": None,
        "is_active": True,
        "mode": Mode.WRITE,  # a name that quoted, and kept its model, writes from now on
    }
    if deployment.model_id != export.model_id or not deployment.is_active:
        changed["knowledge"] = knowledge_after(export.model, deployment.knowledge)
    for name, value in changed.items():
        setattr(deployment, name, value)
    Deployment.objects.filter(pk=deployment.pk).update(switched_at=Now(), **changed)
    after = deployment.said
    detail = f"{export.model} answers"
    if before["knowledge"] != after["knowledge"]:
        detail = f"{detail} and {deployment.how}"
    DeploymentEvent.objects.create(
        deployment=deployment, model=export.model, actor=by, detail=detail[:200]
    )
    audit.record(by, "switch", deployment, before=before, after=after)


@transaction.atomic
def switch_waiting(export: ServingExport) -> None:
    """Carry out the deployments that waited for this check; of a deleted model, forget them."""
    waiting = Deployment.objects.filter(next_model=export.model)
    try:
        hold_model(export.model)
    except ModelGoneError:
        waiting.update(next_model=None)
        return
    for deployment in waiting.select_for_update(of=("self",)):
        switch(deployment, export, by=None)


@transaction.atomic
def set_logging(deployment: Deployment, *, is_on: bool, by: User) -> None:
    """Log the answers given from now on for retraining, or no longer."""
    before = {"is_logging": deployment.is_logging}
    Deployment.objects.filter(pk=deployment.pk).update(is_logging=is_on)
    audit.record(by, "set logging", deployment, before=before, after={"is_logging": is_on})


@transaction.atomic
def set_usual(deployment: Deployment, params: Mapping[str, Any], *, by: User | None) -> None:
    """Let new chats with this deployment begin with these settings; the others stay."""
    before, after = deployment.params, {**deployment.params, **params}
    deployment.params = after
    Deployment.objects.filter(pk=deployment.pk).update(params=after)
    audit.record(by, "set usual", deployment, before=before, after=after)


@transaction.atomic
def release_starters(deployment: Deployment, questions: Sequence[str], *, by: User | None) -> None:
    """Let everybody who chats read these validation questions as a beginning, and no others."""
    before = {"starters": deployment.starters}
    deployment.starters = list(questions)
    Deployment.objects.filter(pk=deployment.pk).update(starters=deployment.starters)
    after = {"starters": deployment.starters}
    audit.record(by, "release starters", deployment, before=before, after=after)


@transaction.atomic
def retire(deployment: Deployment, *, by: User) -> None:
    """Take the alias out of the composer; chats stay readable.

    It lets go of what it answered from, which can then be deleted.
    """
    released = {"is_active": False, "next_model": None, "knowledge": None}
    Deployment.objects.filter(pk=deployment.pk).update(**released)
    audit.record(by, "retire", deployment, before=deployment.said)
