"""The whole loop as one order with steps."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from chat_app.models import Chat, Deployment
from datasets_app.models import Dataset, Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Work
from otto_web.lib.work.states import State
from training_app.models import Run


class PipelineQuerySet(models.QuerySet[Any]):
    """The one-click chain ends in a deployment, so it is a trainer's."""

    def visible_to(self, user: User) -> PipelineQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()


class Pipeline(Work):
    """The whole chain with one click: its steps are rows that the reaper's tick moves on."""

    job = "loop.advance_pipeline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    options = models.JSONField(default=dict)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.ForeignKey(Version, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    deployment = models.ForeignKey(
        Deployment, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    chat = models.ForeignKey(Chat, null=True, on_delete=models.SET_NULL, related_name="+")
    objects = PipelineQuerySet.as_manager()

    def __str__(self) -> str:
        return f"pipeline {self.id}"


STEP_WORDS = {
    "base": "Find a base model",
    "load": "Load conversations",
    "web": "Fetch the pages",
    "documents": "Take the documents",
    "chunk": "Cut them into chunks",
    "generate": "Make questions and answers",
    "judge": "Judge each pair",
    "choose": "Keep the pairs that score enough",
    "check": "Check their quality",
    "freeze": "Freeze a version",
    "know": "Make its answers findable",
    "train": "Train a model",
    "evaluate": "Measure it",
    "export": "Check it and make it ready",
    "onnx": "Write it as ONNX for other tools",
    "deploy": "Deploy it",
    "chat": "Ask it something new",
    "learn": "Leave the exchange to be rated",
}


class PipelineStep(models.Model):
    """One step of a pipeline, with what came of it."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=30)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    note = models.TextField(default="")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "number"], name="pipelinestep_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
