"""The page of base models: what is on the shelf, and what a person does with it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from training_app.lm.bases.known import known_bases
from training_app.lm.config import TrainingError
from training_app.models import Base
from training_app.selectors.bases import shelf
from training_app.services.bases import delete_base, order_known, stop_base


@role_required(Role.TRAINER)
@require_GET
def base_list(request: TeamRequest) -> HttpResponse:
    """Show the shelf."""
    return respond(
        request,
        page="training/base_list.html",
        fragment="training/_base_shelf.html",
        context={"shelf": shelf(request.user)},
    )


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
