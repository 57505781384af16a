"""Writes a model as portable ONNX, and proves it before anybody is offered the download."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from chat_app.jobs.serving_exports import prompts_of
from otto_web.lib import leases
from otto_web.lib.files import durable_folder, sha256_of
from training_app.lm.config import TrainingError
from training_app.lm.portable import export_portable
from training_app.models import Export, JobState, TrainedModel
from training_app.paths import absolute, relative

PROMPTS = 4  # each is checked token by token, without a cache


def export_portable_model(export_id: int) -> None:
    """Write and prove a portable file that waits; harmless when another worker does it."""
    export = claim(export_id)
    if export is None:
        return
    try:
        with leases.kept(partial(renew, export)):
            changes = build(export)
    except TrainingError as error:
        changes = {"state": JobState.FAILED, "reason": str(error)}
    except Exception:
        finish(export, {"state": JobState.FAILED, "reason": "An unexpected fault; see the log."})
        raise
    finish(export, changes)


def claim(export_id: int) -> Export | None:
    """Take an export that waits or was left by its worker."""
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    taken = Export.objects.filter(free, pk=export_id).update(
        state=JobState.RUNNING, fence=F("fence") + 1, lease_until=_lease_end()
    )
    found = Export.objects.select_related("model__run__version")
    return found.get(pk=export_id) if taken else None


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.OTTO_LEASE_SECONDS)


def renew(export: Export) -> bool:
    owned = Export.objects.filter(pk=export.pk, fence=export.fence)
    return owned.update(lease_until=_lease_end()) == 1


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
    owned = Export.objects.filter(pk=export.pk, fence=export.fence, state=JobState.RUNNING)
    owned.update(lease_until=None, **changes)
