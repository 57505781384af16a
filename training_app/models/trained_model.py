"""Models that a run left or a person brought."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models

from otto_web.lib.access import Role, has_role
from training_app.models.run import Run
from training_app.models.tokenizer import Tokenizer


class ModelQuerySet(models.QuerySet["TrainedModel"]):
    """Models that every trainer of the installation may see; deleted ones are tombstones."""

    def visible_to(self, user: User) -> ModelQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()

    def ready(self) -> ModelQuerySet:
        return self.filter(state=ModelState.READY)


class ModelState(models.TextChoices):
    """Whether a model's folder is there. It is no work: the row comes when the folder is whole."""

    READY = "ready"
    DELETED = "deleted"


class TrainedModel(models.Model):
    """A model that a run left (or somebody imported): a folder that never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    is_chat = models.BooleanField(default=True, help_text="false when trained on passages only")
    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="model")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children"
    )
    tokenizer = models.ForeignKey(
        Tokenizer, null=True, on_delete=models.PROTECT, related_name="models"
    )
    family = models.CharField(max_length=20)
    params = models.PositiveBigIntegerField()
    context = models.PositiveIntegerField()
    path = models.CharField(max_length=300, help_text="relative to the data folder")
    manifest_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=ModelState, default=ModelState.READY)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = ModelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="model_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"

    @property
    def is_ready(self) -> bool:
        return self.state == ModelState.READY

    @property
    def loss_on(self) -> str:
        """Return which tokens it learned from: all, or those of answers."""
        return "all" if self.run is None else str(self.run.spec["train"].get("loss_on", "all"))

    @property
    def system_prompt(self) -> str:
        """Return what opened every conversation in training; empty where nothing did."""
        if self.run is None or not self.is_chat:
            return ""
        return str(self.run.spec.get("data", {}).get("system_prompt", ""))
