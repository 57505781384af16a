"""Prepared data: what a model would read, and its download."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST, require_safe

from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.zip_stream import send_folder
from training_app.lm.config import RunSpec
from training_app.models import Preparation, paths
from training_app.selectors.log_tail import blocks_of
from training_app.selectors.preparations import shown_facts
from training_app.services.preparations import delete_preparation


def _found(request: TeamRequest, preparation_id: UUID) -> Preparation:
    visible = Preparation.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("version", "start_model"), pk=preparation_id)


@role_required(Role.TRAINER)
@require_GET
def preparation_detail(request: TeamRequest, preparation_id: UUID) -> HttpResponse:
    """Show what a model would read of a version; while it is prepared, how it stands."""
    made = _found(request, preparation_id)
    return respond(
        request,
        page="training/preparation_detail.html",
        fragment="training/_preparation.html",
        context={
            "made": made,
            "version": made.version,
            "spec": RunSpec.from_json(made.spec),
            "facts": shown_facts(made),
        },
    )


@role_required(Role.TRAINER)
@require_safe
def preparation_download(request: TeamRequest, preparation_id: UUID) -> HttpResponseBase:
    """Send tokens, texts and tokenizer as a ZIP."""
    made = _found(request, preparation_id)
    if not made.path:
        raise Http404
    folder = paths.absolute(made.path) / "prepared"
    return send_folder(request, folder, of=made, name="prepared")


@role_required(Role.TRAINER)
@require_safe
def preparation_file(request: TeamRequest, preparation_id: UUID, file: str) -> HttpResponseBase:
    """Send the texts of a split, or the figures, as one file."""
    made = _found(request, preparation_id)
    path = paths.absolute(made.path) / "prepared" / file
    if not made.path or not path.is_file():
        raise Http404
    kind = "application/json" if file.endswith(".json") else "text/plain; charset=utf-8"
    return stream(request, blocks_of(path), of=made, name=file, kind=kind)


@role_required(Role.TRAINER)
@require_POST
def preparation_delete(request: TeamRequest, preparation_id: UUID) -> HttpResponse:
    """Remove prepared data; the version stays."""
    made = _found(request, preparation_id)
    version = made.version_id
    delete_preparation(made, by=request.user)
    messages.success(request, "The prepared data are deleted. The version stays.")
    return redirect("version-detail", version)
