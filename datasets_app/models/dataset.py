"""Datasets, and the order to judge one's rows again."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from datasets_app.models.querysets import CuratorsQuerySet
from otto_web.lib.work.rows import Retry, Work


class Dataset(models.Model):
    """A named collection of conversations that a team curates."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,  # made by a command
        on_delete=models.SET_NULL,
        related_name="datasets",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    policy = models.JSONField(
        default=dict, blank=True, help_text="the rule settings that differ from standard"
    )
    split_seed = models.PositiveIntegerField(default=42)
    validation_share = models.FloatField(default=0.10)
    test_share = models.FloatField(default=0.05)
    next_position = models.PositiveBigIntegerField(default=1, editable=False)
    changes = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="goes up whenever rows change: counts are kept by it"
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects = CuratorsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at=None), name="dataset_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Rescoring(Work):
    """A dataset's rows are judged again, in slices, because its rules changed."""

    job = "datasets.rescore_dataset"
    retry = Retry(
        message="Judging again was interrupted several times. Save the rules once more.",
        after_faults=True,
    )

    dataset = models.OneToOneField(
        Dataset, primary_key=True, on_delete=models.CASCADE, related_name="rescoring"
    )
    cursor = models.PositiveBigIntegerField(default=0, help_text="the last conversation judged")
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.dataset_id}: {self.done} of {self.total}"
