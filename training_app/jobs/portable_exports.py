"""Writes a model as portable ONNX, and proves it before anybody is offered the download."""

from __future__ import annotations

from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.lm.config import TrainingError
from training_app.lm.portable import export_portable
from training_app.models import Export
from training_app.models.paths import absolute, relative
from training_app.selectors.prompts import prompts_of

PROMPTS = 4  # each is checked token by token, without a cache


def export_portable_model(export_id: int | str) -> None:
    """Write and prove a portable file that waits; harmless when another worker does it."""
    perform(Export, export_id, _build, refusals=(TrainingError,))


def _build(export: Export, lease: Lease) -> None:
    """Write the folder; a file that differs from torch raises and leaves nothing."""
    folder = absolute(export.model.path)
    final = absolute(f"exports/{export.model_id}/f{export.fence}")
    prompts = prompts_of(export.model, folder, most=PROMPTS)
    with durable_folder(final) as target:
        parity = export_portable(folder, target, prompts)
    finish(
        export,
        path=relative(final),
        sha256=sha256_of(final / "model.onnx"),
        parity_max=parity.largest_error,
        figures=parity.as_json(),
    )
