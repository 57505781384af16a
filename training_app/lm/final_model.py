"""The end of a run: the best weights, their last evaluation, and the model's folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training_app.lm.answer_test import Answered, AnswerFigures
from training_app.lm.answerer import answerer
from training_app.lm.bands import LossCurve
from training_app.lm.contract import Start, TrainedResult, spec_sha256
from training_app.lm.evaluation import (
    Evidence,
    Figures,
    TextLoss,
    TextLosses,
    band,
    evaluate,
    verdict,
)
from training_app.lm.folder import move_into_place, write_model
from training_app.lm.leakage import leaked_share, run_length
from training_app.lm.machine import system, versions
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.replies import answers, samples
from training_app.lm.setup import validation_split
from training_app.lm.train_state import TrainState
from training_app.lm.trainable import make_ordinary

GIVES_UP = {"cancel", "drain"}  # to keep what there is, or to be out of time, leaves a model
_FINAL_TOKENS = 100_000  # about the most that the last evaluation reads; chosen by hand


def make_model(state: TrainState, work: Path, start: Start, *, fingerprint: str) -> TrainedResult:
    """Evaluate the best weights in fp32, write them as `work/model`, and report.

    `fingerprint` is the hash of the data's version, as the manifest keeps it.
    """
    state.events.phase("evaluating")
    state.take_best()
    make_ordinary(state.setup.fast.model)
    figures, texts = _final_figures(state)
    setup = state.setup
    prepared = setup.prepared
    leaked = None  # every prompt that holds known answers shares its words with others
    if not setup.spec.data.sources:
        leaked = leaked_share(
            prepared.train.tokens,
            prepared.validation.tokens,
            run_tokens=run_length(figures.bytes / max(1, figures.tokens)),
        )
    figured, answered = _tested(state, start)
    rows = [] if answered else samples(setup.fast.model, prepared.template, setup.questions)
    asked = [] if answered else setup.questions
    evidence = Evidence(answers(asked, rows), leaked, figured)
    words = verdict(figures, LossCurve(state.losses, setup.spec.train.loss_on), evidence)
    state.events.phase("saving")
    folder = work / "model.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    _write_evaluation(folder, state, figures)
    manifest = _manifest(state, figures, fingerprint) | dict(start.manifest)
    manifest |= {"verdict": words, "leaked_share": leaked, "answers": figured.as_json()}
    complete = write_model(folder, setup.fast.model, setup.prepared.template, manifest)
    move_into_place(folder, work / "model")
    return TrainedResult(
        "succeeded",
        state.step,
        work / "model",
        state.early_stopping.best_step,
        figures.as_json(),
        words,
        complete,
        rows,
        figured,
        answered,
        texts,
    )


def _tested(state: TrainState, start: Start) -> tuple[AnswerFigures, list[Answered]]:
    """Ask the best weights what they have not seen, unless somebody wants no model any more."""
    setup = state.setup
    if not setup.prepared.is_chat:
        return AnswerFigures(), []
    test, prompt = start.answer_test, setup.spec.data.system_prompt
    answer = answerer(
        setup.fast.model,
        setup.prepared.template,
        grounds=start.grounds if setup.spec.data.sources else None,
        system_prompt=prompt,
        longest=test.longest,
        bf16=state.decisions.bf16,
    )
    return test.run(answer, should_stop=lambda: state.should_stop() in GIVES_UP)


def _final_figures(state: TrainState) -> tuple[Figures, list[TextLoss]]:
    setup = state.setup
    context = setup.loader.context
    train = setup.spec.train
    batches = max(1, _FINAL_TOKENS // (context * train.micro_batch))
    if setup.spec.data.sources:
        batches = min(batches, 2 * train.eval_batches)
    split = validation_split(setup.spec, setup.prepared, context, batches=batches)
    texts = None if split.is_of_examples else TextLosses(split)
    return evaluate(setup.fast, split, texts=texts), texts.whole() if texts else []


def _write_evaluation(folder: Path, state: TrainState, figures: Figures) -> None:
    (folder / "evaluation").mkdir(parents=True)
    name = band(figures, state.setup.spec.train.loss_on)
    values = {"figures": figures.as_json(), "band": name, "course": state.losses}
    text = json.dumps(values, indent=2) + "\n"
    (folder / "evaluation" / "figures.json").write_text(text, encoding="utf-8")


def _manifest(state: TrainState, figures: Figures, fingerprint: str) -> dict[str, Any]:
    setup = state.setup
    template = setup.prepared.template
    return {
        "is_chat": setup.prepared.is_chat,
        "spec": setup.spec.as_json(),
        "spec_sha256": spec_sha256(setup.spec),
        "decided": state.decisions.as_json(),
        "seed": setup.spec.train.seed,
        "optimizer": OPTIMIZERS[setup.spec.train.optimizer].label,
        "steps": state.step,
        "best_step": state.early_stopping.best_step,
        "train_loss": state.last_loss,
        "evaluation": figures.as_json(),
        "band": band(figures, setup.spec.train.loss_on),
        "data": {
            "fingerprint": fingerprint,
            "train": asdict(setup.prepared.train.facts),
            "validation": asdict(setup.prepared.validation.facts),
        },
        "tokenizer_sha256": setup.prepared.tokenizer_sha256,
        "template_sha256": hashlib.sha256(template.source.encode()).hexdigest(),
        "versions": versions(),
        "system": system(),
    }
