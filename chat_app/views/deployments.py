"""Deployments: the list, a fresh one, one with its history and switches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat_app.forms.deployments import NOTHING, DeployForm, KnowingForm, SwitchForm
from chat_app.models import Deployment, Mode
from chat_app.selectors import deployments as selectors
from chat_app.selectors.chats import possible_starters
from chat_app.selectors.grounding import built_knowledge
from chat_app.selectors.names import free_alias
from chat_app.services import deployments as services
from chat_app.services import knowing
from chat_app.serving.errors import ServingError
from datasets_app.models import Knowledge
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid
from training_app.models import TrainedModel


def find_deployment(request: TeamRequest, alias: str) -> Deployment:
    """Return the deployment, or answer 404."""
    visible = Deployment.objects.visible_to(request.user)
    related = visible.select_related("model", "export", "next_model", "knowledge__version__dataset")
    found: Deployment = get_object_or_404(related, pk=alias)
    return found


@role_required(Role.TRAINER)
@require_GET
def deployment_list(request: TeamRequest) -> HttpResponse:
    return respond(
        request,
        page="chat/deployment_list.html",
        fragment="chat/_deployment_table.html",
        context={"deployments": selectors.deployment_list(request.user)},
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def deployment_new(request: TeamRequest) -> HttpResponse:
    """Ask for model and name; what is deployed answers as soon as its file is checked."""
    models = selectors.deployable_models(request.user)
    known = built_knowledge(request.user)
    if request.method == "POST":
        form = DeployForm(request.POST, models, known)
    else:
        form = DeployForm(None, models, known, initial=_beginning(request, models, known))
    if form.is_valid() and (made := _deployed(request, form)):
        return redirect("deployment-detail", made.pk)
    return respond(
        request,
        page="chat/deployment_new.html",
        fragment="chat/_deployment_form.html",
        context={"form": form, "may_deploy": bool(known) or models.exists()},
        status=422 if form.errors else 200,
    )


def _beginning(
    request: TeamRequest, models: QuerySet[TrainedModel], known: Sequence[Knowledge]
) -> dict[str, Any]:
    """Return what the form says at first: a model, or the known answers of a version in quotes.

    A base model, which has learnt none, gets the newest known answers.
    """
    wanted = as_uuid(request.GET.get("model", ""))
    chosen = models.filter(pk=wanted).first() if wanted else models.first()
    start: dict[str, Any] = {"model": chosen, "alias": free_alias(chosen.name) if chosen else ""}
    quoted = as_uuid(request.GET.get("knowledge", ""))
    for one in known:
        if one.pk == quoted:
            alias = free_alias(one.version.dataset.name)
            return {"mode": Mode.QUOTE, "knowledge": str(one.pk), "alias": alias}
    if chosen and chosen.run_id is None and known:
        start["knowledge"] = str(known[0].pk)
    return start


def _deployed(request: TeamRequest, form: DeployForm) -> Deployment | None:
    values = form.cleaned_data
    try:
        made = _by_words_of(request, form)
    except services.AliasTakenError as error:
        form.add_error("alias", str(error))
        return None
    except ServingError as error:
        form.add_error(None, str(error))
        return None
    if not values["is_logging"]:
        services.set_logging(made, is_on=False, by=request.user)
    return made


@transaction.atomic
def _by_words_of(request: TeamRequest, form: DeployForm) -> Deployment:
    """Deploy what was chosen: known answers by themselves, or a model that may use them."""
    values = form.cleaned_data
    chosen = form.chosen
    if chosen is not None and form.is_quoting:
        return knowing.deploy_quotes(chosen, values["alias"], by=request.user)
    made = services.deploy(values["model"], values["alias"], by=request.user, takes_over=False)
    if values.get("knowledge"):
        knowing.set_knowledge(made, chosen, Mode.WRITE, by=request.user)
    return made


@role_required(Role.TRAINER)
@require_POST
def deployment_knowledge(request: TeamRequest, alias: str) -> HttpResponse:
    """Let answers come from other knowledge, written or quoted, from the next question on."""
    deployment = find_deployment(request, alias)
    form = KnowingForm(request.POST, built_knowledge(request.user))
    if not form.is_valid():
        return _show(request, deployment, knowing_form=form)
    try:
        mode = form.cleaned_data["mode"]
        knowing.set_knowledge(deployment, form.chosen, mode, by=request.user)
    except ServingError as error:
        form.add_error(None, str(error))
        return _show(request, deployment, knowing_form=form)
    messages.success(request, "It answers from these from the next question on.")
    return redirect("deployment-detail", deployment.pk)


@role_required(Role.TRAINER)
@require_GET
def deployment_detail(request: TeamRequest, alias: str) -> HttpResponse:
    return _show(request, find_deployment(request, alias))


def _show(
    request: TeamRequest,
    deployment: Deployment,
    form: SwitchForm | None = None,
    knowing_form: KnowingForm | None = None,
) -> HttpResponse:
    models = selectors.deployable_models(request.user)
    if deployment.export_id and deployment.model_id:
        models = models.exclude(pk=deployment.model_id)
    known = built_knowledge(request.user)
    refused = form or knowing_form
    now = {"mode": deployment.mode, "knowledge": str(deployment.knowledge_id or NOTHING)}
    shown = selectors.deployment_page(deployment)
    answer = respond(
        request,
        page="chat/deployment_detail.html",
        fragment="chat/_deployment_live.html",
        context={
            **shown,
            "form": form or SwitchForm(None, models),
            "has_others": models.exists(),
            "knowing_form": knowing_form or KnowingForm(None, known, initial=now),
            "has_knowledge": bool(known),
        },
        status=422 if refused and refused.errors else 200,
    )
    if request.htmx and not shown["is_under_way"]:
        answer["HX-Refresh"] = "true"  # history and buttons stand outside of the live part
    return answer


@role_required(Role.TRAINER)
@require_POST
def deployment_switch(request: TeamRequest, alias: str) -> HttpResponse:
    """Let another model, or an earlier one, answer."""
    deployment = find_deployment(request, alias)
    form = SwitchForm(request.POST, selectors.deployable_models(request.user))
    if not form.is_valid():
        return _show(request, deployment, form)
    model = form.cleaned_data["model"]
    try:
        found = services.deploy(model, deployment.pk, by=request.user)
    except ServingError as error:
        form.add_error("model", str(error))
        return _show(request, deployment, form)
    is_live = found.next_model_id is None
    then = "answers now" if is_live else "answers as soon as it is checked and ready"
    messages.success(
        request, f"{model} {then}. Answers under way end on the model they began with."
    )
    return redirect("deployment-detail", deployment.pk)


@role_required(Role.TRAINER)
@require_POST
def deployment_logging(request: TeamRequest, alias: str) -> HttpResponse:
    """Switch the log of this deployment; entries that are there stay."""
    deployment = find_deployment(request, alias)
    is_on = request.POST.get("logging") == "1"
    services.set_logging(deployment, is_on=is_on, by=request.user)
    said = "are logged" if is_on else "are not logged any more"
    messages.success(request, f"Answers given from now on {said}.")
    return redirect("deployment-detail", deployment.pk)


@role_required(Role.TRAINER)
@require_POST
def deployment_starters(request: TeamRequest, alias: str) -> HttpResponse:
    """Let everybody read the selected questions that the model answered right, and no others."""
    deployment = find_deployment(request, alias)
    selected = set(request.POST.getlist("question"))
    released = [one for one in possible_starters(deployment) if one in selected]
    services.release_starters(deployment, released, by=request.user)
    said = f"{len(released)} of them" if released else "No question"
    messages.success(request, f"{said} may now be read by everybody who chats.")
    return redirect("deployment-detail", deployment.pk)


@role_required(Role.TRAINER)
@require_POST
def deployment_retire(request: TeamRequest, alias: str) -> HttpResponse:
    """Take the name out of the chat; chats stay readable."""
    deployment = find_deployment(request, alias)
    services.retire(deployment, by=request.user)
    messages.success(request, f"“{alias}” answers no more. Its chats stay readable.")
    return redirect("deployment-detail", deployment.pk)
