"""Runs that are over, with everything that a trainer leaves in the database."""

from __future__ import annotations

import math
from uuid import uuid4

from datasets_app.corpus.conversation import USER, Turn
from tests.training_app.conftest import toy_spec
from training_app.jobs.process_identity import ProcessIdentity
from training_app.lm.answer_test import Answered, AnswerFigures, Item
from training_app.lm.facts import Judgement
from training_app.services.attempts import claim_run
from training_app.services.recording import record_points, record_samples
from training_app.services.results import RunResult, record_result
from training_app.services.runs import Order, queue_run

FIGURES = {"tokens": 4000, "bytes": 12_000, "answer_loss": 1.1}


def answered(outcomes, *, first=0):
    """Return tested answers with these outcomes, to questions numbered from `first` on."""
    return [_answered(number, outcome) for number, outcome in enumerate(outcomes, start=first)]


def _answered(number, outcome):
    question = Turn(USER, f"Where is my order number {number}?")
    real = f"Your order {number} is on its way."
    said = {"right": real, "contradicts": "It was lost.", "abstains": "I do not know."}
    item = Item((question,), real)
    return Answered(item, said.get(outcome, "Hello there."), Judgement(outcome))


def ended_run(version, owner, *, name="toy", outcomes=(), loss=2.0, curve=(), tokens="1", **spec):
    """Run `name` to a model whose answers had these outcomes; `curve` is its validation loss."""
    order = Order(name, toy_spec(**spec), version, uuid4())
    run = queue_run(order, created_by=owner)
    claim = claim_run(ProcessIdentity("here", 1, 1.0))
    steps = [(4 * (number + 1), value) for number, value in enumerate(curve or (2 * loss, loss))]
    points = [
        row
        for step, value in steps
        for row in (
            ("train/loss", step, value - 0.1),
            ("train/tokens_per_second", step, 1000.0),
            ("validation/loss", step, value),
            ("validation/bits_per_byte", step, value / math.log(2) / 3),
        )
    ]
    record_points(claim, points)
    record_samples(claim, steps[-1][0], [(0, "Where is it?", f"Reply of {name}.", "On its way.")])
    tested = answered(outcomes)
    figures = FIGURES | {
        "loss": loss,
        "perplexity": math.exp(loss),
        "bits_per_byte": loss / math.log(2) / 3,
    }
    manifest = {"family": "llama", "parameters": 1000, "context": 32, "vocab_size": 300}
    record_result(
        claim,
        RunResult(
            model_id=uuid4(),
            path=f"models/{uuid4()}",
            manifest=manifest | {"leaked_share": 0.01},
            manifest_sha256="0" * 64,
            tokenizer_sha256=tokens * 64,
            evaluation=figures,
            samples=(),
            verdict="Good.",
            best_step=steps[-1][0],
            answers=AnswerFigures.of(tested, unasked=0, seconds=1.0),
            answered=tested,
            texts=[(number, loss * (20 + number % 5), 80) for number in range(40)],
        ),
    )
    run.refresh_from_db()
    return run
