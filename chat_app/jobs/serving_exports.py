"""Builds a model's serving file and proves it, before anybody may deploy it."""

from __future__ import annotations

import logging
import platform
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import onnxruntime
from django.db import transaction

from chat_app.jobs.claims import claim, owned, postpone, renew
from chat_app.models import ServingExport
from chat_app.services import deployments
from chat_app.serving.errors import ServingError
from chat_app.serving.export import write_graph
from chat_app.serving.graph_files import Precision, graph_path
from chat_app.serving.parity import calibrate, prove
from datasets_app.corpus.conversation import ASSISTANT, Turn
from datasets_app.sample.conversations import held_out_questions
from datasets_app.selectors.versions import iter_conversations
from otto_web.lib import leases
from otto_web.lib.disk import is_disk_full
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import sha256_of
from training_app.lm.config import TrainingError
from training_app.lm.template import Template
from training_app.models import JobState, TrainedModel
from training_app.paths import absolute

log = logging.getLogger(__name__)
PROMPTS = 32


def prove_serving_export(export_id: int | str) -> None:
    """Build and prove a serving file that waits; harmless when another worker does it."""
    export = claim(ServingExport, export_id)
    if export is None:
        return
    try:
        with leases.kept(partial(renew, export)):
            changes = build(export)
    except (ServingError, TrainingError) as error:
        changes = {"state": JobState.FAILED, "reason": str(error)}
    except Exception as error:
        if is_disk_full(error):
            log.warning("no room for export %s: %s", export.pk, error)
            postpone(export)
            return
        finish(export, {"state": JobState.FAILED, "reason": "An unexpected fault; see the log."})
        raise
    finish(export, changes)


def build(export: ServingExport) -> dict[str, Any]:
    """Return what the row gets: the proved file with its figures, or why it failed."""
    folder = absolute(export.model.path)
    precision: Precision = "fp32"
    graph = write_graph(folder, precision)
    parity = prove(folder, precision, prompts_of(export.model, folder))
    outcome = {
        "path": export.model.path,
        "sha256": sha256_of(graph_path(folder, precision)),
        "onnxruntime": onnxruntime.__version__,
        "cpu": platform.processor() or platform.machine(),
        "parity_max": parity.largest_error,
        "figures": {**asdict(parity), "sentence": parity.sentence()},
    }
    if not parity.is_proved:
        return {**outcome, "state": JobState.FAILED, "reason": parity.sentence()}
    return {**outcome, "state": JobState.READY, "reason": "", "calibration": calibrate(graph)}


def prompts_of(model: TrainedModel, folder: Path) -> Sequence[Sequence[int]]:
    """Return held-out prompts of the model's own version, as ids; else the sample's questions."""
    template = Template.open(folder)
    budget = model.context // 2
    asked = list(islice(_questions(model), PROMPTS))
    return [template.prompt(turns, budget=budget).ids for turns in asked]


def _questions(model: TrainedModel) -> Any:
    if model.run is not None:
        for conversation in iter_conversations(model.run.version_id, "validation"):
            turns = conversation.turns
            place = next((n for n, turn in enumerate(turns) if turn.role == ASSISTANT), 0)
            if place:
                yield turns[:place]
    for question in held_out_questions():
        yield (Turn("user", question.question),)


@transaction.atomic(durable=True)
def finish(export: ServingExport, changes: dict[str, Any]) -> None:
    """Write the outcome under the fence, and carry out the deployments that waited for it."""
    if not owned(export).filter(state=JobState.RUNNING).update(lease_until=None, **changes):
        return
    failpoint("exports.finishing")
    export.refresh_from_db()
    if export.state == JobState.READY:
        deployments.switch_waiting(export)
