"""The home page, the one-click loop, and the next model."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from chat_app.forms_pipeline import PipelineForm
from chat_app.models import Deployment, Pipeline
from chat_app.selectors import pipelines as selectors
from chat_app.selectors.home import home as home_of
from chat_app.selectors.home import member_home
from chat_app.selectors.next_model import proposal
from chat_app.services import pipelines as services
from datasets_app.services.versions import order_version
from otto_web.lib.access import Role, has_role, role_required
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.MEMBER)
@require_safe
def home(request: TeamRequest) -> HttpResponse:
    """Show the loop; to those who only chat, what they can use."""
    if not has_role(request.user, Role.CURATOR):
        return respond(
            request,
            page="chat/home_member.html",
            fragment="chat/_home_member.html",
            context={"home": member_home(request.user)},
        )
    return respond(
        request,
        page="chat/home.html",
        fragment="chat/_home.html",
        context={"home": home_of(request.user)},
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def pipeline_new(request: TeamRequest) -> HttpResponse:
    """Start the whole loop on the sample or on a dataset."""
    form = PipelineForm(request.POST) if request.method == "POST" else PipelineForm()
    if form.is_valid():
        made = services.start_pipeline(form.wish(), by=request.user)
        return redirect("pipeline-detail", made.pk)
    context = {"form": form, "recent": selectors.recent_pipelines(request.user)}
    context["sample_seconds"] = selectors.sample_seconds()
    return respond(
        request,
        page="chat/pipeline_new.html",
        fragment="chat/_pipeline_form.html",
        context=context,
        status=422 if form.errors else 200,
    )


@role_required(Role.TRAINER)
@require_GET
def pipeline_detail(request: TeamRequest, pipeline_id: UUID) -> HttpResponse:
    found = _find(request, pipeline_id)
    context: dict[str, Any] = {"pipeline": found, "steps": selectors.shown_steps(found)}
    return respond(
        request,
        page="chat/pipeline_detail.html",
        fragment="chat/_pipeline.html",
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


@role_required(Role.TRAINER)
@require_POST
def next_model(request: TeamRequest, alias: str) -> HttpResponse:
    """Freeze the old version's dataset with its new rows, and propose the run on it."""
    visible = Deployment.objects.visible_to(request.user).select_related("model__run__version")
    found = proposal(get_object_or_404(visible, pk=alias))
    if found is None:
        messages.info(request, "Nothing new was kept since this model was trained.")
        return redirect("home")
    version = order_version(found.dataset, user=request.user)
    messages.success(
        request,
        f"The next model: the old rows and {found.fresh} new ones, continuing from {found.model}.",
    )
    query = urlencode({"start_model": found.model.pk})
    return redirect(f"{reverse('version-detail', args=[version.pk])}?{query}")
