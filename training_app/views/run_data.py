"""What a run gives to scripts and to downloads: points, log, history."""

from __future__ import annotations

import json
import re
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest
from otto_web.lib.words import clean
from otto_web.lib.zip_stream import send_folder
from training_app.lm.config import RunSpec
from training_app.lm.settings_file import settings_text
from training_app.models import Checkpoint, Run, paths
from training_app.selectors.log_tail import log_blocks
from training_app.selectors.points import points_since
from training_app.selectors.run_record import run_record
from training_app.selectors.training_history import history_text

_SEQUENCE = re.compile(r"[0-9]{1,18}")


@role_required(Role.TRAINER)
@require_GET
def run_points(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Answer with the points above `from`, as the socket would send them; nonsense is 0."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    asked = request.GET.get("from", "")
    points = points_since(run.pk, int(asked) if _SEQUENCE.fullmatch(asked) else 0)
    frame = {} if points is None else points.as_frame()
    return JsonResponse(frame | {"over": run.is_over})


@role_required(Role.TRAINER)
@require_safe
def run_log(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send the whole log of the run, one JSON object a line."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    blocks = log_blocks(run.pk)
    return stream(request, blocks, of=run, name="logs.jsonl", kind="application/x-ndjson")


@role_required(Role.TRAINER)
@require_safe
def run_history(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send every point, event and sample of the run."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    pieces, name = history_text(run), "training_history.json"
    return stream(request, pieces, of=run, name=name, kind="application/json")


@role_required(Role.TRAINER)
@require_safe
def run_record_json(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send the record of the run, with the addresses of what it left."""
    related = ("version__dataset", "start_model", "model__tokenizer")
    runs = Run.objects.visible_to(request.user).select_related(*related)
    run = get_object_or_404(runs, pk=run_id)
    names = ("run-detail", "run-log", "run-history", "run-settings", "run-report")
    links = {name: reverse(name, args=[run.pk]) for name in names}
    model = getattr(run, "model", None)
    if model is not None and model.is_ready:
        links |= {
            name: reverse(name, args=[model.pk]) for name in ("model-detail", "model-download")
        }
    text = json.dumps(run_record(run) | {"links": links}, indent=2, ensure_ascii=False) + "\n"
    return stream(request, iter([text]), of=run, name="run.json", kind="application/json")


@role_required(Role.TRAINER)
@require_safe
def run_settings(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send the run's settings as YAML that the form of a run reads."""
    run = get_object_or_404(
        Run.objects.visible_to(request.user).select_related("version__dataset"), pk=run_id
    )
    about = clean(f"Settings of the run {run.name!r}, which learned from {run.version}.")
    pieces = iter([settings_text(RunSpec.from_json(run.spec), about=about)])
    return stream(request, pieces, of=run, name="settings.yaml", kind="application/yaml")


@role_required(Role.TRAINER)
@require_safe
def run_checkpoint(request: TeamRequest, run_id: UUID, checkpoint_id: int) -> HttpResponseBase:
    """Send one checkpoint as a ZIP of safetensors and JSON."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=run_id)
    row = get_object_or_404(Checkpoint, run=run, pk=checkpoint_id)
    name = f"checkpoint-step-{row.step}"
    return send_folder(request, paths.absolute(row.path), of=row, name=name)
