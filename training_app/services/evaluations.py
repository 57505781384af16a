"""Orders that a model is measured, and writes what it answered then."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.models import Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.states import State
from training_app.lm.answer_test import Answered
from training_app.lm.config import ConfigError
from training_app.lm.contract import Sample
from training_app.models import EvalSample, Evaluation, EvaluationOrder, TrainedModel


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


@transaction.atomic
def order_evaluation(
    model: TrainedModel, version: Version, *, split: str, by: User | None
) -> EvaluationOrder:
    """Have a model measured on a split of a version. Raises ConfigError where there is none."""
    if version.state != State.SUCCEEDED:
        raise ConfigError("path_override", "This version is not frozen yet.")
    if not version.rows.filter(split=split).exists():
        raise ConfigError("split", f"The {split} split of {version} is empty.")
    order = EvaluationOrder.objects.create(model=model, version=version, split=split, created_by=by)
    audit.record(by, "evaluate", model, after={"version": str(version), "split": split})
    hint(EvaluationOrder.job, order.pk)
    return order
