"""A run as one JSON object: what it was told, on what machine, what came of it and where it is."""

from __future__ import annotations

from typing import Any

from training_app.lm.config import RunSpec
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.models import Evaluation, Run, TrainedModel
from training_app.selectors.panel import run_panel
from training_app.selectors.trained_models import model_files, model_manifest


def run_record(run: Run) -> dict[str, Any]:
    """Return the record of a run; what only a finished model can say is null before."""
    spec = RunSpec.from_json(run.spec)
    model: TrainedModel | None = getattr(run, "model", None)
    manifest = model_manifest(model) if model is not None and model.is_ready else {}
    panel = run_panel(run.pk)
    return {
        "run_id": str(run.pk),
        "run_name": run.name,
        "state": run.state,
        "reason": run.reason,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "model_family": spec.model.family,
        "model_size": {
            "layers": spec.model.layers,
            "heads": spec.model.heads,
            "hidden_size": spec.model.hidden_size,
            "parameters": None if model is None else model.params,
        },
        "epochs": spec.train.epochs if spec.train.epochs is not None else panel and panel.passes,
        "batch_size": spec.train.micro_batch,
        "max_seq_len": spec.model.context,
        "steps": run.last_step,
        "loss": panel and panel.figures["loss"],
        "learning_rate": spec.train.learning_rate,
        "optimizer": OPTIMIZERS[spec.train.optimizer].label,
        "seed": spec.train.seed,
        "spec": run.spec,
        "spec_sha256": run.spec_sha256,
        "decided": run.decided,
        "tokenizer_id": model and model.tokenizer_id and str(model.tokenizer_id),
        "tokenizer_sha256": manifest.get("tokenizer_sha256"),
        "corpus": _corpus(run),
        "versions": manifest.get("versions"),
        "system": manifest.get("system"),
        "git_commit": manifest.get("git_commit"),
        "precision": _precision(run),
        "threads": (run.decided or {}).get("threads"),
        "parent_model": run.start_model and str(run.start_model),
        "parent_run": run.parent_run_id and str(run.parent_run_id),
        "evaluation": _evaluation(model),
        "files": None if model is None else _files(model, manifest),
        "training_complete": _completed(run, spec, model),
    }


def _precision(run: Run) -> str | None:
    return {True: "bf16", False: "fp32", None: None}[(run.decided or {}).get("bf16")]


def _corpus(run: Run) -> dict[str, Any]:
    version = run.version
    return {
        "version": str(version.pk),
        "name": str(version),
        "manifest_sha256": version.manifest_sha256,
        "splits": version.counts.get("splits"),
    }


def _evaluation(model: TrainedModel | None) -> dict[str, Any] | None:
    measured = Evaluation.objects.of_own_validation().filter(model=model).first() if model else None
    if measured is None:
        return None
    return {
        "split": measured.split,
        "loss": measured.loss,
        "answer_loss": measured.answer_loss,
        "perplexity": measured.perplexity,
        "bits_per_byte": measured.bits_per_byte,
        "answers": measured.answers.as_json(),
    }


def _files(model: TrainedModel, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": file.name, "bytes": file.bytes, "sha256": file.sha256}
        for file in model_files(model, manifest)
    ]


def _completed(run: Run, spec: RunSpec, model: TrainedModel | None) -> dict[str, Any]:
    """Return the record of the earlier pipeline, under its names."""
    return {
        "model_name": None if model is None else str(model),
        "model_type": spec.model.family,
        "training_completed": model is not None and run.is_over,
        "total_prompts": run.version.counts.get("splits", {}).get("train"),
        "final_model_path": None if model is None else model.path,
    }
