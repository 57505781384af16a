"""The whole loop with one click: starting it, looking on, going on after a fault."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.loop.forms import PipelineForm
from otto_web.loop.models import Pipeline
from otto_web.loop.selectors import pipelines as selectors
from otto_web.loop.selectors.starters import STARTERS, starter_values
from otto_web.loop.selectors.wishes import shown_wishes
from otto_web.loop.services import pipelines as services


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def pipeline_new(request: TeamRequest) -> HttpResponse:
    """Start the whole loop on the sample or on a dataset."""
    data = request.POST if request.method == "POST" else None
    starter = request.GET.get("starter", "")
    form = PipelineForm(request.user, data, initial=starter_values(starter))
    if form.is_valid():
        made = services.start_pipeline(form.order(), by=request.user)
        return redirect("pipeline-detail", made.pk)
    context = {"form": form, "recent": selectors.recent_pipelines(request.user)}
    context |= {"starters": STARTERS, "starter": STARTERS.get(starter)}
    context["ways"] = selectors.sample_ways(request.user)
    return respond(
        request,
        page="loop/pipeline_new.html",
        fragment="loop/_pipeline_form.html",
        context=context,
        status=422 if form.errors else 200,
    )


@role_required(Role.TRAINER)
@require_GET
def pipeline_detail(request: TeamRequest, pipeline_id: UUID) -> HttpResponse:
    found = _find(request, pipeline_id)
    context: dict[str, Any] = {
        "pipeline": found,
        "steps": selectors.shown_steps(found),
        "tested": selectors.tested(found),
        "wishes": shown_wishes(found),
    }
    return respond(
        request,
        page="loop/pipeline_detail.html",
        fragment="loop/_pipeline.html",
        context=context,
    )


@role_required(Role.TRAINER)
@require_POST
def pipeline_retry(request: TeamRequest, pipeline_id: UUID) -> HttpResponse:
    found = _find(request, pipeline_id)
    services.retry_pipeline(found, by=request.user)
    return redirect("pipeline-detail", found.pk)


def _find(request: TeamRequest, pipeline_id: UUID) -> Pipeline:
    visible = Pipeline.objects.visible_to(request.user)
    related = visible.select_related("dataset", "version", "run", "deployment", "chat")
    found: Pipeline = get_object_or_404(related, pk=pipeline_id)
    return found
