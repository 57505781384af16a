"""A model's files for serving and for other tools."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST, require_safe

from chat_app.selectors.deployments import model_exports_page
from chat_app.services.deployments import order_export
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.work.states import State
from otto_web.lib.zip_stream import send_folder
from training_app.models import Export, TrainedModel
from training_app.models.paths import absolute
from training_app.services.portable import FORMAT, order_portable


def _find_model(request: TeamRequest, model_id: UUID) -> TrainedModel:
    return get_object_or_404(TrainedModel.objects.visible_to(request.user).ready(), pk=model_id)


@role_required(Role.TRAINER)
@require_GET
def model_exports(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Show the serving file and the portable file, each with its proof."""
    return respond(
        request,
        page="chat/model_exports.html",
        fragment="chat/_model_exports.html",
        context=model_exports_page(_find_model(request, model_id)),
    )


@role_required(Role.TRAINER)
@require_POST
def model_export_order(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Order a file: the portable one, or the one for serving."""
    model = _find_model(request, model_id)
    if request.POST.get("format") == "serving":
        order_export(model, by=request.user)
    else:
        order_portable(model, by=request.user)
    return redirect("model-exports", model.pk)


@role_required(Role.TRAINER)
@require_safe
def model_export_download(request: TeamRequest, model_id: UUID) -> HttpResponseBase:
    """Send the portable model as a ZIP that optimum and onnxruntime open once unpacked."""
    model = _find_model(request, model_id)
    ready = Export.objects.filter(model=model, format=FORMAT, state=State.SUCCEEDED)
    name = f"{slugify(model.name) or 'model'}-{model.number}-onnx"
    return send_folder(request, absolute(get_object_or_404(ready).path), of=model, name=name)
