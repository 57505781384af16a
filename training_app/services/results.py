"""The end of a run that made a model: model, tokenizer, evaluation and state in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Sum

from otto_web.lib.uuids import as_uuid
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.states import State
from training_app.lm.answer_test import Answered, AnswerFigures
from training_app.lm.contract import Sample
from training_app.models import (
    CancelVerb,
    Checkpoint,
    Evaluation,
    MadeTokenizer,
    Run,
    Tokenizer,
    TrainedModel,
)
from training_app.services.attempts import Claim, end_run
from training_app.services.evaluations import add_replies
from training_app.services.run_events import NewEvent, add_event

# Chosen by hand: the states of a toy may stay to be looked at, those of a base fill a disk.
SMALL_CHECKPOINTS = 256 * 2**20  # bytes, of one run together


@dataclass(frozen=True, slots=True)
class RunResult:
    """A model folder that is durable already and waits for its rows."""

    model_id: UUID
    path: str  # relative to the data folder
    manifest: Mapping[str, Any]  # what otto.json holds
    manifest_sha256: str
    tokenizer_sha256: str
    evaluation: Mapping[str, Any]
    samples: Sequence[Sample]
    verdict: str
    best_step: int
    answers: AnswerFigures = field(default_factory=AnswerFigures)
    answered: Sequence[Answered] = ()
    texts: Sequence[tuple[int, float, int]] = ()  # number in its split, nats, bytes
    stopped_at: int | None = None  # the last update, where somebody stopped the run and kept it


class DiscardedError(Exception):
    """Somebody discarded the run while its model was being made."""


@transaction.atomic(durable=True)
def record_result(claim: Claim, run_result: RunResult) -> TrainedModel:
    """Publish what the run made and end it: as succeeded, or as stopped by hand.

    All of it is written, or nothing. Raises DiscardedError where nobody wants it any more.
    """
    run = Run.objects.select_for_update(of=("self",)).select_related("version").get(pk=claim.run_id)
    if run.fence != claim.fence or run.state != State.RUNNING:
        raise LostLease("Another attempt owns this run.")
    if run.cancel_verb == CancelVerb.DISCARD:
        raise DiscardedError("The run was discarded.")
    model = _publish_model(run, run_result, _tokenizer(run, run_result))
    _record_evaluation(run, model, run_result)
    state, words = State.SUCCEEDED, run_result.verdict
    if run_result.stopped_at is not None:
        state = State.CANCELLED
        words = f"Stopped by hand after {run_result.stopped_at:,} updates. {words}"
    else:
        _let_checkpoints_go(claim)
    if not end_run(claim, state, message=words):
        raise LostLease("Another attempt owns this run.")
    return model


def _let_checkpoints_go(claim: Claim) -> None:
    """Drop the large checkpoints of a run at its end: the model holds the best weights.

    What another run begins with stays. The reaper frees the folders that no row names.
    """
    mine = Checkpoint.objects.filter(run_id=claim.run_id)
    size = mine.aggregate(size=Sum("bytes"))["size"] or 0
    if size <= SMALL_CHECKPOINTS:
        return
    mine.filter(continued_by=None).delete()
    words = f"The model holds the best weights; {size / 1e9:.1f} GB of checkpoints were let go."
    add_event(claim.run_id, NewEvent("checkpoints", words), fence=claim.fence)


def _tokenizer(run: Run, run_result: RunResult) -> Tokenizer:
    known = Tokenizer.objects.filter(sha256=run_result.tokenizer_sha256).first()
    data = run.spec.get("data", {})
    made = _made(data.get("made_tokenizer"))
    return known or Tokenizer.objects.create(
        kind=made.recipe["method"] if made else data.get("tokenizer", "bpe"),
        vocab_size=int(run_result.manifest.get("vocab_size", 0)),
        path=f"{run_result.path}/tokenizer.json",
        sha256=run_result.tokenizer_sha256,
        version=run.version,
    )


def _made(key: object) -> MadeTokenizer | None:
    number = as_uuid(key)
    return None if number is None else MadeTokenizer.objects.filter(pk=number).first()


def _publish_model(run: Run, run_result: RunResult, tokenizer: Tokenizer) -> TrainedModel:
    return TrainedModel.objects.create(
        pk=run_result.model_id,
        name=run.name,
        number=next_number(run.name),
        is_chat=bool(run_result.manifest.get("is_chat", True)),
        run=run,
        parent=run.start_model,
        tokenizer=tokenizer,
        family=str(run_result.manifest.get("family", "")),
        params=int(run_result.manifest.get("parameters", 0)),
        context=int(run_result.manifest.get("context", 0)),
        path=run_result.path,
        manifest_sha256=run_result.manifest_sha256,
        created_by=run.created_by,
    )


def next_number(name: str) -> int:
    """Return the next version number of a name; two runs that end together get two numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"model {name}"])
    newest = TrainedModel.objects.filter(name=name).aggregate(number=Max("number"))["number"]
    return int(newest or 0) + 1


def _record_evaluation(run: Run, model: TrainedModel, run_result: RunResult) -> None:
    figures = run_result.evaluation
    if not figures:
        return
    evaluation = Evaluation.objects.create(
        model=model,
        version=run.version,
        split="validation",
        tokens=figures["tokens"],
        bytes=figures["bytes"],
        loss=figures["loss"],
        answer_loss=figures.get("answer_loss"),
        perplexity=figures["perplexity"],
        bits_per_byte=figures["bits_per_byte"],
        details={
            "verdict": run_result.verdict,
            "best_step": run_result.best_step,
            "leaked_share": run_result.manifest.get("leaked_share"),
            "answers": run_result.answers.as_json(),
            "texts": list(run_result.texts),
        },
    )
    add_replies(evaluation, run_result.answered, run_result.samples)
