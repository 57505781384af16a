"""Rows of the chat rooms: serving graphs, deployments, chats, log entries, the pipeline."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import OuterRef, Q, Subquery

from datasets_app.models import Conversation, Dataset, Version
from otto_web.lib.access import Role, has_role
from training_app.models import JobState, Run, TrainedModel

PRECISION = "fp32"  # what is served: anything less differs from torch's numbers


class ServingExport(models.Model):
    """A model as the engine runs it: proved equal to torch on this installation."""

    model = models.ForeignKey(
        TrainedModel, on_delete=models.CASCADE, related_name="serving_exports"
    )
    precision = models.CharField(max_length=20, default=PRECISION)
    path = models.CharField(max_length=300, default="")
    sha256 = models.CharField(max_length=64, default="")
    onnxruntime = models.CharField(max_length=40, default="")
    cpu = models.CharField(max_length=200, default="")
    parity_max = models.FloatField(null=True)
    figures = models.JSONField(default=dict, blank=True)
    calibration = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    reason = models.TextField(default="")
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "precision"], name="servingexport_one_per_precision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.precision}"


class DeploymentQuerySet(models.QuerySet[Any]):
    """Deployments are for the whole team."""

    def visible_to(self, user: User) -> DeploymentQuerySet:
        return self if has_role(user, Role.MEMBER) else self.none()


class Deployment(models.Model):
    """An alias under which the team chats with a model; it can be pointed at another one."""

    alias = models.SlugField(max_length=60, primary_key=True)
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="deployments")
    export = models.ForeignKey(ServingExport, null=True, on_delete=models.PROTECT, related_name="+")
    next_model = models.ForeignKey(
        TrainedModel,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="takes over as soon as its serving file is proved",
    )
    is_logging = models.BooleanField(default=True, help_text="log for retraining")
    params = models.JSONField(default=dict, blank=True)
    starters = models.JSONField(
        default=list, blank=True, help_text="questions that a trainer lets everybody read"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    switched_at = models.DateTimeField(auto_now_add=True)
    objects = DeploymentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.alias


class DeploymentEvent(models.Model):
    """A switch of a deployment; rows are only ever added."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="+")
    detail = models.CharField(max_length=200, default="")

    def __str__(self) -> str:
        return f"{self.deployment_id}: {self.detail}"


class ChatQuerySet(models.QuerySet[Any]):
    """A chat belongs to its author, until it is shared."""

    def visible_to(self, user: User) -> ChatQuerySet:
        if not has_role(user, Role.MEMBER):
            return self.none()
        return self.filter(Q(owner=user) | Q(is_shared=True), deleted_at=None)


class Chat(models.Model):
    """One person's conversation with a deployment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chats"
    )
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="chats")
    title = models.CharField(max_length=200, default="", blank=True)
    is_shared = models.BooleanField(default=False)
    system = models.TextField(default="", blank=True)
    params = models.JSONField(default=dict, blank=True)
    is_logged = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects = ChatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title or str(self.id)


class Message(models.Model):
    """One message of a chat; the answers' texts are checkpointed while they are written."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10)
    text = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    idem = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "idem"], name="message_idem_unique")]

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:40]}"


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


class Rating(models.Model):
    """What one person thinks of one answer."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="ratings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings"
    )
    value = models.SmallIntegerField(help_text="1 ok, -1 not ok")
    comment = models.TextField(default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="rating_one_per_person"),
            models.CheckConstraint(name="rating_value_known", condition=Q(value__in=[1, -1])),
        ]

    def __str__(self) -> str:
        return f"{self.value:+d} on {self.message_id}"


class LogQuerySet(models.QuerySet[Any]):
    """What curators may read of other people's chats: single exchanges without the author."""

    def visible_to(self, user: User) -> LogQuerySet:
        return self if has_role(user, Role.CURATOR) else self.none()

    def with_rating(self) -> LogQuerySet:
        """Add `rated`: the newest rating of each answer, None where there is none."""
        given = Rating.objects.filter(message=OuterRef("message_id")).order_by("-updated_at")
        rated: LogQuerySet = self.annotate(rated=Subquery(given.values("value")[:1]))
        return rated


class LogEntry(models.Model):
    """One logged exchange, made when the answer ends, if deployment and chat log."""

    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="log_entry"
    )
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="log_entries")
    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    objects = LogQuerySet.as_manager()

    class Meta:
        # the log, newest first
        indexes = [models.Index(fields=["-at"], name="logentry_by_time")]

    def __str__(self) -> str:
        return f"log entry {self.message_id}"


class PipelineQuerySet(models.QuerySet[Any]):
    """The one-click chain ends in a deployment, so it is a trainer's."""

    def visible_to(self, user: User) -> PipelineQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()


class PipelineState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Pipeline(models.Model):
    """The whole chain with one click: its steps are rows that the reaper's tick moves on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="pipelines"
    )
    state = models.CharField(max_length=10, choices=PipelineState, default=PipelineState.RUNNING)
    options = models.JSONField(default=dict)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.ForeignKey(Version, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    deployment = models.ForeignKey(
        Deployment, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    chat = models.ForeignKey(Chat, null=True, on_delete=models.SET_NULL, related_name="+")
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    objects = PipelineQuerySet.as_manager()

    def __str__(self) -> str:
        return f"pipeline {self.id}"


STEP_WORDS = {
    "load": "Load conversations",
    "check": "Check their quality",
    "freeze": "Freeze a version",
    "train": "Train a model",
    "evaluate": "Measure it",
    "export": "Build and prove its serving file",
    "deploy": "Deploy it",
    "chat": "Ask it something new",
    "learn": "Leave the exchange to be rated",
}


class PipelineStep(models.Model):
    """One step of a pipeline, with what came of it."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=30)
    state = models.CharField(max_length=10, default="waiting")
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
