"""The end of a run: the best weights, their last evaluation, and the model's folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training_app.lm.attempt import Attempt
from training_app.lm.contract import Start, TrainedResult, spec_sha256
from training_app.lm.evaluation import Course, Evidence, Figures, band, evaluate, verdict
from training_app.lm.folder import move_into_place, write_model
from training_app.lm.generate import answers, samples
from training_app.lm.leakage import leaked_share
from training_app.lm.machine import system, versions
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.stage import validation_split
from training_app.lm.template import chat_template
from training_app.lm.trainable import make_ordinary

_FINAL_TOKENS = 100_000  # about the most that the last evaluation reads; chosen by hand


def finish(attempt: Attempt, work: Path, start: Start, *, fingerprint: str) -> TrainedResult:
    """Evaluate the best weights in fp32, write them as `work/model`, and report.

    `fingerprint` is the hash of the data's version, as the manifest keeps it.
    """
    attempt.events.phase("evaluating")
    attempt.take_best()
    make_ordinary(attempt.stage.fast.model)
    figures = _final_figures(attempt)
    stage = attempt.stage
    prepared = stage.prepared
    leaked = leaked_share(prepared.train.tokens, prepared.validation.tokens)
    rows = samples(stage.fast.model, prepared.template, stage.questions)
    evidence = Evidence(answers(stage.questions, rows), leaked)
    words = verdict(figures, Course(attempt.losses), evidence)
    attempt.events.phase("saving")
    folder = work / "model.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    _write_evaluation(folder, attempt, figures)
    manifest = _manifest(attempt, figures, fingerprint) | dict(start.manifest)
    manifest |= {"verdict": words, "leaked_share": leaked}
    complete = write_model(folder, stage.fast.model, stage.prepared.template, manifest)
    move_into_place(folder, work / "model")
    return TrainedResult(
        "succeeded",
        attempt.step,
        work / "model",
        attempt.watch.best_step,
        figures.as_json(),
        words,
        complete,
    )


def _final_figures(attempt: Attempt) -> Figures:
    stage = attempt.stage
    context = stage.feed.context
    batches = max(1, _FINAL_TOKENS // (context * stage.spec.train.micro_batch))
    split = validation_split(stage.prepared, stage.spec.train, context, batches=batches)
    return evaluate(stage.fast, split)


def _write_evaluation(folder: Path, attempt: Attempt, figures: Figures) -> None:
    (folder / "evaluation").mkdir(parents=True)
    values = {"figures": figures.as_json(), "band": band(figures), "course": attempt.losses}
    text = json.dumps(values, indent=2) + "\n"
    (folder / "evaluation" / "figures.json").write_text(text, encoding="utf-8")


def _manifest(attempt: Attempt, figures: Figures, fingerprint: str) -> dict[str, Any]:
    stage = attempt.stage
    written = chat_template(stage.prepared.template.tokenizer)
    return {
        "is_chat": stage.prepared.is_chat,
        "spec": stage.spec.as_json(),
        "spec_sha256": spec_sha256(stage.spec),
        "decided": attempt.decisions.as_json(),
        "seed": stage.spec.train.seed,
        "optimizer": OPTIMIZERS[stage.spec.train.optimizer].label,
        "steps": attempt.step,
        "best_step": attempt.watch.best_step,
        "train_loss": attempt.last_loss,
        "evaluation": figures.as_json(),
        "band": band(figures),
        "data": {
            "fingerprint": fingerprint,
            "train": asdict(stage.prepared.train.facts),
            "validation": asdict(stage.prepared.validation.facts),
        },
        "tokenizer_sha256": stage.prepared.tokenizer_sha256,
        "template_sha256": hashlib.sha256(written.encode()).hexdigest(),
        "versions": versions(),
        "system": system(),
    }
