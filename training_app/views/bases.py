"""The page of base models: what is on the shelf, and what a person does with it."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from datasets_app.models import Purpose
from datasets_app.services.receiving import NewUpload, UploadError, receive_file
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from training_app.lm.bases.known import known_bases
from training_app.lm.config import TrainingError
from training_app.models import Base
from training_app.selectors.bases import shelf
from training_app.services.bases import delete_base, order_known, order_local, stop_base


class BaseFileForm(forms.Form):
    """One file that holds a model."""

    sent = forms.FileField(label="File", error_messages={"required": "Choose a file first."})


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def base_list(request: TeamRequest) -> HttpResponse:
    """Show the bases; take a small file in one piece from a browser without scripts."""
    form = BaseFileForm(request.POST, request.FILES) if request.method == "POST" else BaseFileForm()
    if form.is_valid():
        sent = form.cleaned_data["sent"]
        new = NewUpload(name=sent.name, size=sent.size, purpose=Purpose.MODEL)
        try:
            receive_file(new, sent, by=request.user)
        except UploadError as error:
            form.add_error("sent", str(error))
        else:
            return redirect("base-list")
    return respond(
        request,
        page="training/base_list.html",
        fragment="training/_base_shelf.html",
        context={"shelf": shelf(request.user), "form": form, "chunk": settings.OTTO_CHUNK_BYTES},
        status=422 if form.errors else 200,
    )


@role_required(Role.TRAINER)
@require_POST
def base_take(request: TeamRequest) -> HttpResponse:
    """Order a file or folder that lies in the folder of local models."""
    try:
        order_local(request.POST.get("name", ""), by=request.user)
    except TrainingError as error:
        messages.error(request, str(error))
    return redirect("base-list")


@role_required(Role.TRAINER)
@require_POST
def base_fetch(request: TeamRequest, name: str) -> HttpResponse:
    """Order a base that OTTO knows, again where it failed or was deleted."""
    known = known_bases().get(name)
    if known is None:
        raise Http404
    order_known(known, by=request.user)
    return redirect("base-list")


@role_required(Role.TRAINER)
@require_POST
def base_stop(request: TeamRequest, base_id: UUID) -> HttpResponse:
    """End a base that is on its way."""
    base = get_object_or_404(Base.objects.visible_to(request.user), pk=base_id)
    stop_base(base, actor=request.user)
    return redirect("base-list")


@role_required(Role.TRAINER)
@require_POST
def base_delete(request: TeamRequest, base_id: UUID) -> HttpResponse:
    """Take a base away that nothing uses."""
    base = get_object_or_404(Base.objects.visible_to(request.user), pk=base_id)
    try:
        delete_base(base, actor=request.user)
    except TrainingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{base} is deleted. What was trained from it stays.")
    return redirect("base-list")
