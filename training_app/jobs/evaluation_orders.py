"""Measures a model that somebody ordered to be measured."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.evaluate import keep_measured, measure_model
from training_app.lm.config import TrainingError
from training_app.models import EvaluationOrder


def evaluate_ordered(order_id: UUID | str) -> None:
    """Measure what waits; a call too many does nothing."""
    perform(EvaluationOrder, order_id, _evaluate, refusals=(TrainingError,))


def _evaluate(order: EvaluationOrder, lease: Lease) -> None:
    model, version, split = order.model, order.version, order.split
    found = measure_model(model, version, split)
    lease.touch()
    with transaction.atomic():  # whoever lost the order meanwhile leaves nothing
        finish(order, evaluation=keep_measured(model, version, split=split, found=found))
