"""Pages of runs: the list, the form, one run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.models import Version
from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid
from training_app.forms import (
    LENGTH_LABELS,
    RunForm,
    preset_values,
    with_preset,
    with_settings,
    with_values,
)
from training_app.lm.config import ConfigError
from training_app.lm.presets import CONTINUE_RATE, DEFAULT_TUNING, PRESETS, Preset
from training_app.lm.settings_file import ReadSettings, read_settings
from training_app.models import Run, TrainedModel
from training_app.selectors.detail import run_detail_page
from training_app.selectors.local_models import local_names
from training_app.selectors.panel import run_panel
from training_app.selectors.runs import RunFilter, run_list
from training_app.selectors.trained_models import base_for
from training_app.services.preparations import order_preparation
from training_app.services.runs import VersionRefusedError, queue_run
from training_app.views.addresses import address_of


@role_required(Role.TRAINER)
@require_GET
def run_list_page(request: TeamRequest) -> HttpResponse:
    """Show the runs that the address asks for."""
    return respond(
        request,
        page="training/run_list.html",
        fragment="training/_run_table.html",
        context={"found": run_list(request.user, RunFilter.of(request.GET))},
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def run_new(request: TeamRequest) -> HttpResponse:
    """Show the form of a run, and queue the run that it describes."""
    if request.method == "GET":
        return _form_page(request, RunForm(request.user, initial=_initial(request)))
    for button, fill in _FILLED_BY.items():
        if button in request.POST:
            return fill(request)
    form = RunForm(request.user, request.POST)
    if form.is_valid() and "estimate" not in request.POST:
        try:
            if "prepare" in request.POST:
                made = order_preparation(form.order(), by=request.user)
                return redirect("preparation-detail", made.pk)
            run = queue_run(form.order(), created_by=request.user)
        except VersionRefusedError as error:
            form.add_error(error.field, str(error))
        else:
            return redirect("run-detail", run.pk)
    return _form_page(request, form, status=422 if form.errors else 200)


@role_required(Role.TRAINER)
@require_POST
def run_forecast(request: TeamRequest) -> HttpResponse:
    """Say what the run of this half-filled form would be; queues nothing."""
    form = RunForm(request.user, request.POST)
    form.is_valid()
    return respond(
        request,
        page="training/run_new.html",
        fragment="training/_run_forecast.html",
        context=_form_context(request, form),
    )


@role_required(Role.TRAINER)
@require_GET
def run_detail(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Show one run: live while it goes, with its verdict when it is over."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    return respond(
        request,
        page="training/run_detail.html",
        fragment="training/_run_frames.html",
        context=run_detail_page(run) | {"deploy_url": _deploy_url(run)},
    )


@role_required(Role.TRAINER)
@require_GET
def run_live(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Answer with the live part alone, for pages without a socket."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    return respond(
        request,
        page="training/_run_frames.html",
        fragment="training/_run_frames.html",
        context={"panel": run_panel(run.pk)},
    )


def _with_preset(request: TeamRequest) -> HttpResponse:
    """Show the form as it was typed, with another preset; nothing is checked or queued yet."""
    name = request.POST["choose"]
    if name not in PRESETS:
        raise Http404(f"There is no preset “{name}”.")
    values, changed = with_preset(request.POST.dict(), name, base=base_for(request.user))
    return _form_page(request, RunForm(request.user, initial=values), changed=changed)


def _with_updates(request: TeamRequest) -> HttpResponse:
    """Show the form with the updates that the forecast proposed; nothing is queued yet."""
    values = with_values(request.POST.dict(), {"steps": request.POST["take"]})
    form = RunForm(request.user, values)
    return _form_page(request, form, status=200 if form.is_valid() else 422)


def _with_size(request: TeamRequest) -> HttpResponse:
    """Show the form with the size that the version supports; nothing is queued yet."""
    form = RunForm(request.user, request.POST)
    if form.is_valid() and (size := form.recommendation) is not None:
        form = RunForm(request.user, with_values(request.POST.dict(), size.values))
    return _form_page(request, form, status=200 if form.is_valid() else 422)


def _with_settings(request: TeamRequest) -> HttpResponse:
    """Show the form with the settings of a text; each of its names is answered for."""
    text = request.POST.get("settings_text", "")
    try:
        found = read_settings(text)
    except ConfigError as error:
        told: dict[str, Any] = {"settings_error": str(error), "settings_text": text}
        form = RunForm(request.user, initial=with_settings(request.POST.dict(), ReadSettings([])))
        return _form_page(request, form, status=422, told=told)
    local = found.values.get("local_model", "")
    if local and local not in local_names():
        found = found.without("local_model", "no such folder is here: see Base models")
    form = RunForm(request.user, with_settings(request.POST.dict(), found))
    form.is_valid()  # what cannot be used is said beside its field at once
    for line in found.left:
        field = "length" if line.wrong in LENGTH_LABELS else line.wrong
        if field in form.fields:
            form.add_error(field, f"“{line.value}” of the file was not taken: {line.why}.")
    return _form_page(request, form, told={"read": found}, status=422 if form.errors else 200)


_FILLED_BY = {
    "choose": _with_preset,
    "read": _with_settings,
    "take": _with_updates,
    "size": _with_size,
}


def _form_page(
    request: TeamRequest,
    form: RunForm,
    *,
    status: int = 200,
    changed: list[str] | None = None,
    told: dict[str, Any] | None = None,
) -> HttpResponse:
    return respond(
        request,
        page="training/run_new.html",
        fragment="training/_run_form.html",
        context=_form_context(request, form) | {"changed": changed} | (told or {}),
        status=status,
    )


def _form_context(request: TeamRequest, form: RunForm) -> dict[str, Any]:
    chosen = form["preset"].value() or ""
    return {
        "form": form,
        "forecast": None if form.errors else form.forecast,
        "presets": sorted(PRESETS.items(), key=_by_length),
        "preset": PRESETS.get(chosen),
        "chosen": chosen,
        "has_versions": trainable_versions(request.user).exists(),
        "example_url": address_of("pipeline-new"),
        "datasets_url": address_of("dataset-list"),
    }


def _by_length(item: tuple[str, Preset]) -> tuple[bool, float, int]:
    preset = item[1]
    return not preset.is_started, preset.train.minutes or 0.0, preset.model.parameters


def _initial(request: TeamRequest) -> dict[str, Any]:
    """Return the preset's values, with the version and the start model that a link names."""
    given = {name: request.GET[name] for name in ("version", "start_model") if name in request.GET}
    if "tokenizer" in request.GET:
        given["made_tokenizer"] = request.GET["tokenizer"]
    versions = trainable_versions(request.user)
    number = as_uuid(given.get("version", ""))
    version = versions.filter(pk=number).first() if number else versions.first()
    if version is not None:
        given.setdefault("version", str(version.pk))
    base = base_for(request.user)
    if base and version and _suits_a_base(request, version):
        values = preset_values(DEFAULT_TUNING) | given
        return values | {"start_model": str(base.pk)}
    return preset_values(request.GET.get("preset", "")) | given | _gently(request)


def _suits_a_base(request: TeamRequest, version: Version) -> bool:
    """Return whether nothing else was asked for, and the version has questions with answers.

    From a base it answers with the facts; from scratch only in the style of so little data.
    """
    counts = version.counts
    is_of_texts = counts.get("passages", 0) == counts.get("rows", 0)
    return not {"preset", "start_model"} & request.GET.keys() and not is_of_texts


def _gently(request: TeamRequest) -> dict[str, Any]:
    """Return a small rate where a link continues a model of ours: it has learned already."""
    number = as_uuid(request.GET.get("start_model", ""))
    models = TrainedModel.objects.visible_to(request.user).exclude(run=None)
    is_ours = number is not None and models.filter(pk=number).exists()
    return {"learning_rate": CONTINUE_RATE} if is_ours else {}


def _deploy_url(run: Run) -> str:
    model = getattr(run, "model", None)
    deploy = address_of("deployment-new")
    return f"{deploy}?model={model.pk}" if deploy and model is not None else ""
