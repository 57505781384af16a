"""Writes a model in a format for other tools, and compares it with torch before it is offered."""

from __future__ import annotations

from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.lm.config import TrainingError
from training_app.lm.exports.registry import FORMATS
from training_app.models import Export
from training_app.models.paths import absolute, relative
from training_app.selectors.prompts import prompts_of

PROMPTS = 4  # each is checked token by token, without a cache


def build_export(export_id: int | str) -> None:
    """Write and check an export that waits; harmless when another worker does it."""
    perform(Export, export_id, _build, refusals=(TrainingError,))


def _build(export: Export, lease: Lease) -> None:
    """Write the folder; a file that differs from torch raises and leaves nothing."""
    if export.format not in FORMATS:
        raise TrainingError(f"This OTTO writes no “{export.format}” files any more.")
    wanted = FORMATS[export.format]
    folder = absolute(export.model.path)
    final = absolute(export.folder)
    prompts = prompts_of(export.model, folder, most=PROMPTS)
    options = {"opset": export.opset} if wanted.opsets else {}
    with durable_folder(final) as target:
        report = wanted.load()(folder, target, prompts, **options)
    finish(
        export,
        path=relative(final),
        sha256=sha256_of(final / wanted.main_file),
        parity_max=report.largest_error,
        figures=report.as_json(),
    )
