"""Evaluates a finished model on one split of a version, and keeps the figures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from datasets_app.models import Version
from training_app.jobs.trainer.splits import VersionSplit
from training_app.lm.assess import Assessment, Learned, assess_model
from training_app.lm.config import TrainingError
from training_app.lm.folder import verify_model
from training_app.lm.machine import bf16_pays
from training_app.lm.model import pick_device
from training_app.models import Evaluation, TrainedModel, paths
from training_app.selectors.answer_tests import answer_test_of, known_to
from training_app.services.evaluations import add_replies

SECONDS = 600.0  # for its answers; chosen by hand


def evaluate_model(model: TrainedModel, version: Version, *, split: str) -> Evaluation:
    """Return the new evaluation; every call adds one, earlier ones stay."""
    return keep_measured(model, version, split=split, found=measure_model(model, version, split))


def measure_model(model: TrainedModel, version: Version, split: str) -> Assessment:
    """Return what a model does on a split; nothing is written. Raises TrainingError."""
    if not version.rows.filter(split=split).exists():
        raise TrainingError(f"The {split} split of {version} is empty.")
    verify_model(paths.absolute(model.path))
    data = model.run.spec.get("data", {}) if model.run else {}
    words = str(data.get("abstention", ""))
    test = answer_test_of(version, split, seconds=SECONDS, abstention=words)
    with TemporaryDirectory(prefix="otto-evaluate-") as work:
        return assess_model(
            paths.absolute(model.path),
            VersionSplit(version, split),
            Path(work),
            test=test,
            learned=Learned(
                model.system_prompt,
                model.loss_on,
                known_to(version, data),
                bf16=bf16_pays(pick_device()),
            ),
        )


def keep_measured(
    model: TrainedModel, version: Version, *, split: str, found: Assessment
) -> Evaluation:
    """Write down what was measured, with the replies."""
    with transaction.atomic():
        evaluation = Evaluation.objects.create(
            model=model,
            version=version,
            split=split,
            details={
                "verdict": found.verdict,
                "answers": found.answers.as_json(),
                "texts": found.texts,
            },
            **found.figures.as_json(),
        )
        add_replies(evaluation, found.answered, found.samples)
    return evaluation
