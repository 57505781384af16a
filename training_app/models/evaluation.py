"""What a model was measured at."""

from __future__ import annotations

from django.db import models

from datasets_app.models import Version
from training_app.models.trained_model import TrainedModel


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    """Measurements of models, of whichever split somebody asked for."""

    def of_validation(self) -> EvaluationQuerySet:
        """Return those of the validation split, newest first: what pages call a model's figures."""
        return self.filter(split="validation").order_by("-at")


class Evaluation(models.Model):
    """How good a model is on one split of a version."""

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="evaluations")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="evaluations")
    split = models.CharField(max_length=10)
    tokens = models.PositiveBigIntegerField()
    bytes = models.PositiveBigIntegerField()
    loss = models.FloatField()
    answer_loss = models.FloatField(null=True)
    perplexity = models.FloatField()
    bits_per_byte = models.FloatField()
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    objects = EvaluationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.model_id} on {self.split}: {self.bits_per_byte:.3f}"


class EvalSample(models.Model):
    """A validation question with the model's reply beside the real answer."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="samples")
    prompt_no = models.PositiveIntegerField()
    prompt = models.TextField()
    reply = models.TextField()
    reference = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "prompt_no"], name="evalsample_place_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id} sample {self.prompt_no}"
