"""One way to answer a version's questions, and how many it gets right."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from datasets_app.models import Version
from otto_web.lib.work.rows import Retry, Work
from training_app.lm.answer_test import AnswerFigures
from training_app.models.trained_model import TrainedModel


class AnswerCheck(Work):
    """The answer test of a model, with what the version knows or without it, or of quoting.

    While it is asked anew, what was found last stays.
    """

    job = "training.check_answers"
    retry = Retry(most=2, message="This was interrupted twice. Measure it once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="answer_checks")
    model = models.ForeignKey(
        TrainedModel,
        null=True,
        on_delete=models.CASCADE,
        related_name="answer_checks",
        help_text="none where the nearest known answer is quoted",
    )
    with_knowledge = models.BooleanField()
    figures = models.JSONField(default=dict, help_text="AnswerFigures; empty until measured once")
    questions = models.CharField(max_length=64, default="", help_text="hash of what was asked")
    replies = models.JSONField(default=list, help_text="what was asked and said, with outcomes")
    measured_at = models.DateTimeField(null=True)

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(
                fields=["version", "model", "with_knowledge"],
                name="answercheck_once_a_way",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="answercheck_answers_by_something",
                condition=Q(model__isnull=False) | Q(with_knowledge=True),
            ),
        ]

    def __str__(self) -> str:
        how = "with knowledge" if self.with_knowledge else "as it is"
        return f"{self.model_id or 'quoting'} {how} on {self.version_id}"

    @property
    def answers(self) -> AnswerFigures:
        """Return how the test ended the last time; none of it before."""
        return AnswerFigures.from_json(self.figures)
