"""Writes a model as portable ONNX, and proves it before anybody is offered the download."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chat_app.jobs.claims import claim, owned, postpone, renew
from chat_app.jobs.serving_exports import prompts_of
from otto_web.lib import leases
from otto_web.lib.disk import is_disk_full
from otto_web.lib.files import durable_folder, sha256_of
from training_app.lm.config import TrainingError
from training_app.lm.portable import export_portable
from training_app.models import Export, JobState, TrainedModel
from training_app.paths import absolute, relative

log = logging.getLogger(__name__)
PROMPTS = 4  # each is checked token by token, without a cache


def export_portable_model(export_id: int | str) -> None:
    """Write and prove a portable file that waits; harmless when another worker does it."""
    export = claim(Export, export_id)
    if export is None:
        return
    try:
        with leases.kept(partial(renew, export)):
            changes = build(export)
    except TrainingError as error:
        changes = {"state": JobState.FAILED, "reason": str(error)}
    except Exception as error:
        if is_disk_full(error):
            log.warning("no room for export %s: %s", export.pk, error)
            postpone(export)
            return
        finish(export, {"state": JobState.FAILED, "reason": "An unexpected fault; see the log."})
        raise
    finish(export, changes)


def build(export: Export) -> dict[str, Any]:
    """Return what the row gets; a file that differs from torch raises and leaves nothing."""
    folder = absolute(export.model.path)
    final = absolute(f"exports/{export.model_id}/f{export.fence}")
    with durable_folder(final) as target:
        parity = export_portable(folder, target, _prompts(export.model, folder))
    return {
        "state": JobState.READY,
        "reason": "",
        "path": relative(final),
        "sha256": sha256_of(final / "model.onnx"),
        "parity_max": parity.largest_error,
        "figures": parity.as_json(),
    }


def _prompts(model: TrainedModel, folder: Path) -> Sequence[Sequence[int]]:
    return prompts_of(model, folder)[:PROMPTS]


def finish(export: Export, changes: dict[str, Any]) -> None:
    """Write the outcome under the fence."""
    owned(export).filter(state=JobState.RUNNING).update(lease_until=None, **changes)
