"""What the pages of models show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Subquery

from training_app.lm.layout import MANIFEST
from training_app.models import Evaluation, TrainedModel, paths
from training_app.selectors.comparison import comparison_of
from training_app.selectors.replies import ShownReply, is_right, shown_replies

MODELS_PER_PAGE = 30
MOST_QUESTIONS = 20  # that are offered as first ones of a chat; chosen by hand


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model's folder, with the hash that its manifest names."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ShownEvaluation:
    """A measurement with the answers that were tested."""

    evaluation: Evaluation
    replies: list[ShownReply]


def model_list(user: User, *, page: str = "1") -> Page[TrainedModel]:
    """Return a page of models, newest first, each with its right answers and figures."""
    newest = Evaluation.objects.of_validation().filter(model=OuterRef("pk"))
    models = (
        TrainedModel.objects.visible_to(user)
        .ready()
        .select_related("run__version__dataset", "created_by", "parent")
        .annotate(
            bits_per_byte=Subquery(newest.values("bits_per_byte")[:1]),
            perplexity=Subquery(newest.values("perplexity")[:1]),
            answers_right=Subquery(newest.values("details__answers__right")[:1]),
            answers_total=Subquery(newest.values("details__answers__total")[:1]),
        )
        .order_by("-created_at")
    )
    return Paginator(models, MODELS_PER_PAGE).get_page(page)


def questions_answered_right(model: TrainedModel) -> list[str]:
    """Return the validation questions that the model answered right when it was last measured.

    They are rows of the validation split: only who may read the dataset may see them.
    """
    measured = model.evaluations.of_validation().first()
    if measured is None:
        return []
    samples = measured.samples.filter(kind="validation").order_by("prompt_no")
    alone = (one for one in samples if is_right(one) and "\n" not in one.prompt.strip())
    return list(dict.fromkeys(" ".join(one.prompt.split()) for one in alone))[:MOST_QUESTIONS]


def model_manifest(model: TrainedModel) -> dict[str, Any]:
    """Return what otto.json holds; empty when the folder is gone."""
    try:
        text = (paths.absolute(model.path) / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return {}
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def known_hashes(model: TrainedModel, manifest: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of a model's files by their names, as they were written down."""
    hashes: dict[str, str] = manifest.get("files", {})
    return hashes | {MANIFEST: model.manifest_sha256}


def model_files(model: TrainedModel, manifest: dict[str, Any]) -> list[ModelFile]:
    """Return the files of the model's folder in their order."""
    folder = paths.absolute(model.path)
    hashes = known_hashes(model, manifest)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [(path, path.relative_to(folder).as_posix()) for path in found]
    return [ModelFile(name, path.stat().st_size, hashes.get(name, "")) for path, name in names]


def model_detail_page(model: TrainedModel) -> dict[str, Any]:
    """Return everything that a model's page shows."""
    manifest = model_manifest(model)
    evaluations = list(
        model.evaluations.select_related("version__dataset").prefetch_related("samples")
    )
    return {
        "comparison": comparison_of(model),
        "model": model,
        "manifest": manifest,
        "manifest_text": json.dumps(manifest, indent=2, ensure_ascii=False),
        "files": model_files(model, manifest),
        "evaluations": [
            ShownEvaluation(one, shown_replies(one.samples.all())) for one in evaluations
        ],
        "exports": list(model.exports.order_by("format", "precision")),
        "children": list(model.children.all()),
    }


def base_for(user: User) -> TrainedModel | None:
    """Return the newest model that nobody trained here: what fine-tuning begins with, if any."""
    found = TrainedModel.objects.visible_to(user).ready().filter(run=None, is_chat=True)
    return found.order_by("-created_at").first()
