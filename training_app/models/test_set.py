"""Test sets that people write, and how models did on them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work
from training_app.lm.answer_test import AnswerFigures
from training_app.models.trained_model import TrainedModel


class TestSetQuerySet(models.QuerySet["TestSet"]):
    """Test sets, which every trainer may see and use."""

    def visible_to(self, user: User) -> TestSetQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()


class TestSet(models.Model):
    """Questions with what is expected of the replies; it never changes, so figures compare."""

    __test__ = False  # pytest takes the name for a test

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    questions = models.JSONField(help_text="list of `measures.Expected`")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = TestSetQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ModelTest(Work):
    """One test of a model, on a split of a version or on a test set; earlier ones stay."""

    job = "training.test_model"
    retry = Retry(most=2, message="This was interrupted twice. Order the test once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="tests")
    test_set = models.ForeignKey(TestSet, null=True, on_delete=models.CASCADE, related_name="tests")
    version = models.ForeignKey(
        Version, null=True, on_delete=models.CASCADE, related_name="model_tests"
    )
    split = models.CharField(max_length=10, default="")
    means = models.JSONField(default=dict, help_text="mean of each measure; empty until measured")
    figures = models.JSONField(default=dict, help_text="AnswerFigures")
    replies = models.JSONField(default=list, help_text="question, reply, real answer, measures")

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="modeltest_asks_one_thing",
                condition=Q(test_set__isnull=False, version=None, split="")
                | (Q(test_set=None, version__isnull=False) & ~Q(split="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.test_set_id or self.version_id}"

    @property
    def answers(self) -> AnswerFigures:
        """Return how many have the facts of the real answer; none of it before the end."""
        return AnswerFigures.from_json(self.figures)
