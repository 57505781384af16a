"""From a finished attempt to a model: a durable folder first, then its rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid5

from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.work.claims import LostLease
from training_app.jobs.trainer.log import RunLog
from training_app.lm.contract import TrainedResult
from training_app.lm.layout import MANIFEST, hashes
from training_app.models import Run, paths
from training_app.models.paths import LOG_NAME, log_files
from training_app.selectors.training_history import history_text
from training_app.services.attempts import Claim
from training_app.services.recording import check_fence
from training_app.services.results import DiscardedError, RunResult, record_result


def publish(run: Run, claim: Claim, result: TrainedResult, run_log: RunLog) -> None:
    """Make the model durable and end the run.

    Nothing remains on a lost fence, or where somebody discarded the run meanwhile.
    """
    if result.folder is None:
        raise ValueError("only a run that made a model's folder can publish it")
    check_fence(claim)
    model_id = uuid5(run.pk, f"model of fence {claim.fence}")
    final = paths.absolute(f"{paths.MODELS}/{model_id}")
    run_log.line("saving", model=str(model_id))
    with durable_folder(final) as folder:
        shutil.copytree(result.folder, folder, dirs_exist_ok=True)
        _add_records(run, folder, result)
        manifest = _complete_manifest(folder)
    run_result = RunResult(
        model_id=model_id,
        path=paths.relative(final),
        manifest=manifest,
        manifest_sha256=sha256_of(final / MANIFEST),
        tokenizer_sha256=sha256_of(final / "tokenizer.json"),
        evaluation=result.evaluation,
        samples=result.samples,
        verdict=result.verdict,
        answers=result.answers,
        answered=result.answered,
        texts=result.texts,
        best_step=result.best_step,
        stopped_at=result.step if result.outcome == "keep" else None,
    )
    try:
        record_result(claim, run_result)
    except (LostLease, DiscardedError):
        shutil.rmtree(final, ignore_errors=True)
        raise
    shutil.rmtree(result.folder.parent, ignore_errors=True)


def _add_records(run: Run, folder: Path, result: TrainedResult) -> None:
    """Put log, history and evaluation beside the weights, so that the folder speaks for itself."""
    with (folder / LOG_NAME).open("wb") as joined:
        for piece in log_files(paths.run_folder(run.pk)):
            with piece.open("rb") as lines:
                shutil.copyfileobj(lines, joined)
    evaluation = folder / "evaluation"
    evaluation.mkdir(exist_ok=True)
    with (folder / "training_history.json").open("w", encoding="utf-8") as history:
        history.writelines(history_text(run))
    _write_json(
        evaluation / "validation.json",
        {
            "figures": dict(result.evaluation),
            "verdict": result.verdict,
            "best_step": result.best_step,
            "answers": result.answers.as_json(),
            "answered": [
                {
                    "kind": one.item.kind,
                    "prompt": one.prompt,
                    "reply": one.reply,
                    "reference": one.item.reference,
                    "outcome": one.judgement.outcome,
                    "why": one.why,
                }
                for one in result.answered
            ],
            "samples": [
                {"prompt": prompt, "reply": reply, "reference": reference}
                for _, prompt, reply, reference in result.samples
            ],
        },
    )


def _complete_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest with the hash of every file, written back."""
    path = folder / MANIFEST
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    manifest["files"] = hashes(folder)
    _write_json(path, manifest)
    return manifest


def _write_json(path: Path, values: Any) -> None:
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
