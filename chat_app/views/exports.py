"""A model's files for serving and for other tools."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST, require_safe

from chat_app.models import EXACT, QUICK
from chat_app.selectors.deployments import model_exports_page
from chat_app.services.deployments import choose_precision
from chat_app.services.deployments import order_export as order_serving
from chat_app.serving.graph_files import SERVING
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.work.states import State
from otto_web.lib.zip_stream import send_folder
from training_app.lm.exports.registry import FORMATS, ExportFormat
from training_app.models import Export, TrainedModel
from training_app.models.paths import absolute
from training_app.services.exports import order_export


def _find_model(request: TeamRequest, model_id: UUID) -> TrainedModel:
    return get_object_or_404(TrainedModel.objects.visible_to(request.user).ready(), pk=model_id)


@role_required(Role.TRAINER)
@require_GET
def model_exports(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Show the model in every format and the serving file, each with its parity check."""
    return respond(
        request,
        page="chat/model_exports.html",
        fragment="chat/_model_exports.html",
        context=model_exports_page(_find_model(request, model_id)),
    )


@role_required(Role.TRAINER)
@require_POST
def model_export_order(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Order a file: in one of the formats that are built, or the one for serving."""
    model, name = _find_model(request, model_id), request.POST.get("format", "")
    if name == SERVING and (precision := request.POST.get("precision")) in (EXACT, QUICK):
        choose_precision(model, precision, by=request.user)
    elif name == SERVING:
        order_serving(model, by=request.user)
    elif name in FORMATS and FORMATS[name].is_built:
        order_export(model, name, by=request.user, opset=_opset(request, FORMATS[name]))
    else:
        raise Http404(f"There is no format “{name}” to order.")
    return redirect("model-exports", model.pk)


def _opset(request: TeamRequest, wanted: ExportFormat) -> int | None:
    chosen = request.POST.get("opset", "")
    if chosen and chosen not in [str(one) for one in wanted.opsets]:
        raise Http404(f"There is no opset “{chosen}” to order.")
    return int(chosen) if chosen else None


@role_required(Role.TRAINER)
@require_safe
def model_export_download(
    request: TeamRequest, model_id: UUID, format_name: str
) -> HttpResponseBase:
    """Send the model in a format as a ZIP that its tools open once unpacked."""
    model, found = _find_model(request, model_id), FORMATS.get(format_name)
    if found is None:
        raise Http404(f"There is no format “{format_name}”.")
    path = model.path
    if found.is_built:
        ready = Export.objects.filter(model=model, format=format_name, state=State.SUCCEEDED)
        path = get_object_or_404(ready).path
    name = f"{slugify(model.name) or 'model'}-{model.number}{found.suffix}"
    return send_folder(request, absolute(path), of=model, name=name)
