"""A version's tokens and texts as a run would read them, without a run."""

from __future__ import annotations

import uuid

from django.db import models

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work
from training_app.models.paths import PREPARED
from training_app.models.trained_model import TrainedModel


class PreparationQuerySet(models.QuerySet["Preparation"]):
    """Preparations, for those who may train."""

    def visible_to(self, user: object) -> PreparationQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()  # type: ignore[arg-type]


class Preparation(Work):
    """The order to prepare a version as this specification says; its files lie in `path`."""

    job = "training.prepare_data"
    retry = Retry(most=2, message="Preparing was interrupted twice. Order it once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="preparations")
    start_model = models.ForeignKey(
        TrainedModel, null=True, on_delete=models.CASCADE, related_name="+"
    )
    spec = models.JSONField(help_text="a RunSpec")
    path = models.CharField(max_length=300, default="", help_text="relative to the data folder")
    facts = models.JSONField(default=dict, help_text="PreparedFacts")
    created_at = models.DateTimeField(auto_now_add=True)
    objects = PreparationQuerySet.as_manager()

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            # those of a version, newest first
            models.Index(fields=["version", "-created_at"], name="preparation_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} prepared"

    @property
    def folder(self) -> str:
        """Return the place that only the attempt with this fence writes to."""
        return f"{PREPARED}/{self.pk}-f{self.fence}"
