"""The order to measure a model on one split of a version."""

from __future__ import annotations

import uuid

from django.db import models

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work
from training_app.models.evaluation import Evaluation
from training_app.models.trained_model import TrainedModel


class EvaluationOrderQuerySet(models.QuerySet["EvaluationOrder"]):
    """Orders, for those who may train."""

    def visible_to(self, user: object) -> EvaluationOrderQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()  # type: ignore[arg-type]


class EvaluationOrder(Work):
    """A model is to be measured; what came of it is an `Evaluation`."""

    job = "training.evaluate_model"
    retry = Retry(most=2, message="Measuring was interrupted twice. Order it once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        TrainedModel, on_delete=models.CASCADE, related_name="evaluation_orders"
    )
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+")
    split = models.CharField(max_length=10)
    evaluation = models.OneToOneField(
        Evaluation, null=True, on_delete=models.SET_NULL, related_name="ordered_by"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = EvaluationOrderQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="evaluationorder_split_known",
                condition=models.Q(split__in=["validation", "test"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.split} of {self.version_id}"
