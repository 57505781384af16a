"""Measures a model that somebody ordered to be measured."""

from __future__ import annotations

from uuid import UUID

from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.evaluate import evaluate_model
from training_app.lm.config import TrainingError
from training_app.models import EvaluationOrder


def evaluate_ordered(order_id: UUID | str) -> None:
    """Measure what waits; a call too many does nothing."""
    perform(EvaluationOrder, order_id, _evaluate, refusals=(TrainingError,))


def _evaluate(order: EvaluationOrder, lease: Lease) -> None:
    found = evaluate_model(order.model, order.version, split=order.split)
    finish(order, evaluation=found)
