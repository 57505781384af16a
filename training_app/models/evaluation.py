"""What a model was measured at."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from datasets_app.models import Version
from training_app.lm.answer_test import AnswerFigures
from training_app.models.trained_model import TrainedModel


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    """Measurements of models, of whichever split somebody asked for."""

    def of_validation(self) -> EvaluationQuerySet:
        """Return those of the validation split, newest first: what pages call a model's figures."""
        return self.filter(split="validation").order_by("-at")

    def of_own_validation(self) -> EvaluationQuerySet:
        """Leave out those on other versions than the one that the model's run trained on."""
        return self.of_validation().filter(version=F("model__run__version"))


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

    @property
    def answers(self) -> AnswerFigures:
        """Return how the answer test ended; none of it where there was none."""
        return AnswerFigures.from_json(self.details.get("answers"))

    @property
    def headline(self) -> str:
        """Return how many answers were right, in words; empty where nothing was asked."""
        return self.answers.headline(self.split)

    @property
    def other_words(self) -> str:
        """Return the verdict without what the answer test found."""
        answers = self.answers
        tested = " ".join([answers.headline(), *answers.remarks()]) if answers.total else ""
        return str(self.details.get("verdict", "")).removeprefix(tested).strip()


class EvalSample(models.Model):
    """A validation question with the model's reply beside the real answer."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="samples")
    prompt_no = models.PositiveIntegerField()
    prompt = models.TextField()
    reply = models.TextField()
    reference = models.TextField()
    kind = models.CharField(max_length=12, default="validation")
    outcome = models.CharField(max_length=12, default="", help_text="empty: was not judged")
    why = models.TextField(default="", help_text="what speaks against the reply")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="evalsample_outcome_known",
                condition=models.Q(outcome__in=["", "right", "contradicts", "wrong", "abstains"]),
            ),
            models.UniqueConstraint(
                fields=["evaluation", "prompt_no"], name="evalsample_place_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id} sample {self.prompt_no}"
