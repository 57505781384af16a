"""Writes what a model answered when it was measured."""

from __future__ import annotations

from collections.abc import Sequence

from training_app.lm.answer_test import Answered
from training_app.lm.contract import Sample
from training_app.models import EvalSample, Evaluation


def add_replies(
    evaluation: Evaluation, answered: Sequence[Answered], samples: Sequence[Sample]
) -> None:
    """Keep the tested answers; the samples where nothing was tested."""
    rows = [
        EvalSample(
            evaluation=evaluation,
            prompt_no=number,
            prompt=one.prompt,
            reply=one.reply,
            reference=one.item.reference,
            kind=one.item.kind,
            outcome=one.judgement.outcome,
            why=one.why,
        )
        for number, one in enumerate(answered)
    ] or [
        EvalSample(
            evaluation=evaluation, prompt_no=number, prompt=prompt, reply=reply, reference=reference
        )
        for number, prompt, reply, reference in samples
    ]
    EvalSample.objects.bulk_create(rows)
