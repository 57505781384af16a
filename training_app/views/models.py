"""Pages of models: the list, one model, its downloads."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST, require_safe

from datasets_app.models import Version
from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid
from otto_web.lib.zip_stream import send_folder
from training_app.models import TrainedModel, paths
from training_app.selectors.comparison import comparison_of
from training_app.selectors.trained_models import model_detail_page, model_list
from training_app.services.answer_checks import order_check
from training_app.services.trained_models import ModelInUseError, delete_model
from training_app.views.addresses import address_of

MOST_VERSIONS = 50  # that can be chosen


@role_required(Role.TRAINER)
@require_GET
def model_list_page(request: TeamRequest) -> HttpResponse:
    """Show the models, newest first."""
    return respond(
        request,
        page="training/model_list.html",
        fragment="training/_model_table.html",
        context={"models": model_list(request.user, page=request.GET.get("page", "1"))},
    )


@role_required(Role.TRAINER)
@require_GET
def model_detail(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Show one model: where it comes from, how good it is, its files."""
    model = get_object_or_404(_models(request), pk=model_id)
    deploy = address_of("deployment-new")
    return respond(
        request,
        page="training/model_detail.html",
        fragment="training/_model_card.html",
        context=model_detail_page(model)
        | {
            "deploy_url": f"{deploy}?model={model.pk}" if deploy else "",
            "exports_url": address_of("model-exports", model.pk),
        },
    )


@role_required(Role.TRAINER)
@require_GET
def model_comparison(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Show which way of answering gets how many of a version's questions right."""
    model = get_object_or_404(_models(request), pk=model_id)
    version = _version(request, request.GET.get("version", ""))
    return respond(
        request,
        page="training/model_comparison.html",
        fragment="training/_comparison.html",
        context={
            "model": model,
            "comparison": comparison_of(model, version),
            "versions": trainable_versions(request.user)[:MOST_VERSIONS],
        },
    )


@role_required(Role.TRAINER)
@require_POST
def model_measure(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Order that one way of answering is measured, or all that never were."""
    model = get_object_or_404(_models(request), pk=model_id)
    version = _version(request, request.POST.get("version", ""))
    comparison = comparison_of(model, version)
    if comparison is None:
        raise Http404("This version kept back no questions.")
    wanted = request.POST.get("way", "")
    lines = comparison.unmeasured if not wanted else comparison.lines
    for line in lines:
        if line.way.missing or (wanted and line.way.slug != wanted):
            continue
        known = line.way.with_knowledge
        order_check(comparison.version, line.way.model, with_knowledge=known, by=request.user)
    address = reverse("model-comparison", args=[model.pk])
    return redirect(f"{address}?version={comparison.version.pk}")


@role_required(Role.TRAINER)
@require_safe
def model_download(request: TeamRequest, model_id: UUID) -> HttpResponseBase:
    """Send the model's folder as a ZIP that transformers opens once unpacked."""
    model = get_object_or_404(_models(request), pk=model_id)
    name = f"{slugify(model.name) or 'model'}-{model.number}"
    return send_folder(request, paths.absolute(model.path), of=model, name=name)


@role_required(Role.TRAINER)
@require_POST
def model_delete(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Delete a model that nothing uses."""
    model = get_object_or_404(_models(request), pk=model_id)
    try:
        delete_model(model, actor=request.user)
    except ModelInUseError as error:
        messages.error(request, str(error))
        return redirect("model-detail", model.pk)
    messages.success(request, f"{model} is deleted. Its run, curves and evaluation are kept.")
    return redirect("model-list")


def _version(request: TeamRequest, text: str) -> Version | None:
    """Return the version that was named, None where none was."""
    if not text:
        return None
    return get_object_or_404(trainable_versions(request.user), pk=as_uuid(text))


def _models(request: TeamRequest) -> QuerySet[TrainedModel]:
    related = ("run__version__dataset", "created_by", "parent", "tokenizer")
    return TrainedModel.objects.visible_to(request.user).ready().select_related(*related)
