"""Builds a model's serving file and compares it with torch, before anybody may deploy it."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

import onnxruntime
from django.db import transaction

from chat_app.models import ServingExport
from chat_app.services import deployments
from chat_app.serving.errors import ServingError
from chat_app.serving.export import write_graph
from chat_app.serving.graph_files import Precision, graph_path
from chat_app.serving.parity import calibrate, check_parity
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import sha256_of
from otto_web.lib.work.claims import fail, finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.lm.config import TrainingError
from training_app.models.paths import absolute
from training_app.selectors.prompts import prompts_of

PROMPTS = 32


def build_serving_export(export_id: int | str) -> None:
    """Build and check a serving file that waits; harmless when another worker does it."""
    perform(ServingExport, export_id, _build_and_check, refusals=(ServingError, TrainingError))


def _build_and_check(export: ServingExport, lease: Lease) -> None:
    found, difference = build(export)
    if difference:
        fail(export, "differs", difference, **found)
    else:
        _publish(export, found)


def build(export: ServingExport) -> tuple[dict[str, Any], str]:
    """Return the file's figures for its row, and in a sentence how it differs, if it does."""
    folder = absolute(export.model.path)
    precision: Precision = "fp32"
    graph = write_graph(folder, precision)
    parity = check_parity(folder, precision, prompts_of(export.model, folder, most=PROMPTS))
    found = {
        "path": export.model.path,
        "sha256": sha256_of(graph_path(folder, precision)),
        "onnxruntime": onnxruntime.__version__,
        "cpu": platform.processor() or platform.machine(),
        "parity_max": parity.largest_error,
        "figures": {**asdict(parity), "sentence": parity.sentence()},
    }
    if not parity.passes:
        return found, parity.sentence()
    return {**found, "calibration": calibrate(graph)}, ""


@transaction.atomic(durable=True)
def _publish(export: ServingExport, found: dict[str, Any]) -> None:
    """Write the figures, and carry out the deployments that waited for them."""
    finish(export, **found)
    failpoint("exports.finishing")
    deployments.switch_waiting(export)
