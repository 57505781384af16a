"""The engine's work on one answer."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from chat_app.models.chat import Message
from chat_app.models.deployment import Deployment
from chat_app.models.serving import ServingExport
from training_app.models import TrainedModel


class GenerationState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


GENERATION_OPEN = (GenerationState.QUEUED, GenerationState.RUNNING)


class Generation(models.Model):
    """The engine's work on one assistant message."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="+")
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="generations")
    export = models.ForeignKey(ServingExport, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=12, choices=GenerationState, default=GenerationState.QUEUED, editable=False
    )
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    stop_requested_at = models.DateTimeField(null=True, editable=False)
    prompt_ids = models.JSONField(default=list, editable=False)
    answer_ids = models.JSONField(default=list, editable=False)
    params = models.JSONField(default=dict, blank=True)
    seed = models.PositiveBigIntegerField(default=0)
    dropped_turns = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict, editable=False)
    finish = models.CharField(max_length=20, default="", editable=False)
    reason = models.TextField(default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="generation_state_known", condition=Q(state__in=GenerationState.values)
            )
        ]
        indexes = [
            # the engine's look for queued work
            models.Index(
                fields=["created_at"], condition=Q(state="queued"), name="generation_queue"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"
