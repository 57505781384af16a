"""The whole loop with one click: starting it, looking on, going on after a fault."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.loop.forms.defaults import ConfigForm, DefaultsForm, taken_in_words
from otto_web.loop.forms.pipelines import PipelineForm
from otto_web.loop.models import Pipeline
from otto_web.loop.selectors import pipelines as selectors
from otto_web.loop.selectors.starters import STARTERS, starter_values
from otto_web.loop.selectors.wishes import shown_wishes
from otto_web.loop.services import pipelines as services
from otto_web.loop.services.defaults import save_defaults


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def pipeline_new(request: TeamRequest) -> HttpResponse:
    """Start the whole loop on the sample or on a dataset."""
    starter, context = request.GET.get("starter", ""), _config_of(request)
    if "config" in context:  # read into the form, and nothing is started
        form = context.pop("form")
    else:
        data = request.POST if request.method == "POST" else None
        form = PipelineForm(request.user, data, initial=starter_values(starter))
    if form.is_valid():
        return redirect("pipeline-detail", _begun(request, form).pk)
    context |= {"form": form, "recent": selectors.recent_pipelines(request.user)}
    config = context.setdefault("config", ConfigForm())
    context |= {"starters": STARTERS, "starter": STARTERS.get(starter)}
    context["ways"] = selectors.sample_ways(request.user)
    return respond(
        request,
        page="loop/pipeline_new.html",
        fragment="loop/_pipeline_form.html",
        context=context,
        status=422 if form.errors or config.errors else 200,
    )


def _begun(request: TeamRequest, form: PipelineForm) -> Pipeline:
    """Start the loop, or go on with what was left of the same data where that was wished."""
    order = form.order()
    left = services.left_of(order, request.user) if form.cleaned_data["resume"] else None
    if left is None:
        return services.start_pipeline(order, by=request.user)
    services.retry_pipeline(left, by=request.user)
    messages.info(request, "This one was left of the same data. It goes on where it failed.")
    return left


def _config_of(request: TeamRequest) -> dict[str, Any]:
    """Return a form filled from a settings file, and what became of its lines, where one came."""
    if request.method != "POST" or "read" not in request.POST:
        return {}
    config = ConfigForm(request.POST, request.FILES)
    read = config.told()
    posted = request.POST
    typed: dict[str, Any] = {
        name: posted[name] for name in PipelineForm.base_fields if name in posted
    }
    typed |= {"uploads": posted.getlist("uploads"), "verify": "verify" in posted}
    form = PipelineForm(request.user, initial={**typed, **(read.form_values if read else {})})
    if read is None:
        return {"config": config, "form": form}
    read = read.without_folders(
        "a page chooses among uploads; manage.py pipeline --config takes it"
    )
    return {"config": config, "form": form, "read": read, "taken": taken_in_words(read, form)}


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def pipeline_defaults(request: TeamRequest) -> HttpResponse:
    """Say what the team wants of the one-click loop where a run says nothing."""
    context: dict[str, Any] = {"config": ConfigForm()}
    data = request.POST if request.method == "POST" and "read" not in request.POST else None
    form = DefaultsForm(request.user, data)
    if form.is_valid():
        changed = save_defaults(form.values(), by=request.user)
        messages.success(request, f"Saved: {changed} changed. Runs that began keep theirs.")
        if kept := form.kept():
            messages.info(request, f"Kept, though this page cannot show it: {', '.join(kept)}.")
        return redirect("pipeline-defaults")
    if request.method == "POST" and data is None:
        config = ConfigForm(request.POST, request.FILES)
        context["config"] = config
        if (read := config.told()) is not None:
            read = read.without_folders("where documents lie belongs to one run")
            form = DefaultsForm(request.user, initial={**form.team, **read.form_values})
            context |= {"read": read, "taken": taken_in_words(read, form)}
    context["form"] = form
    return respond(
        request,
        page="loop/pipeline_defaults.html",
        fragment="loop/_pipeline_defaults.html",
        context=context,
        status=422 if form.errors or context["config"].errors else 200,
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
