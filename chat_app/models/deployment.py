"""Deployments: the names under which the team chats with a model."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from chat_app.models.serving import ServingExport
from datasets_app.models import Knowledge
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.states import State
from training_app.models import TrainedModel
from training_app.models.uses import NeedsModels

QUOTED = "the team’s own wording"


class Mode(models.TextChoices):
    """Who finds the words: a model, or nobody but the team."""

    WRITE = "write", "a model writes the answer"
    QUOTE = "quote", "quotes your team’s own answer, word for word"


class DeploymentQuerySet(models.QuerySet[Any]):
    """Deployments are for the whole team."""

    def visible_to(self, user: User) -> DeploymentQuerySet:
        return self if has_role(user, Role.MEMBER) else self.none()

    def answering(self) -> DeploymentQuerySet:
        """Return those that people may ask."""
        may_answer = Q(export__isnull=False) | Q(mode=Mode.QUOTE)
        return self.filter(may_answer, is_active=True)


class Deployment(NeedsModels, models.Model):
    """An alias under which the team chats with a model; it can be pointed at another one."""

    alias = models.SlugField(max_length=60, primary_key=True)
    model = models.ForeignKey(
        TrainedModel,
        null=True,
        on_delete=models.PROTECT,
        related_name="deployments",
        help_text="none where nothing but known answers is quoted",
    )
    export = models.ForeignKey(ServingExport, null=True, on_delete=models.PROTECT, related_name="+")
    next_model = models.ForeignKey(
        TrainedModel,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="takes over as soon as its serving file is proved",
    )
    knowledge = models.ForeignKey(
        Knowledge,
        null=True,
        on_delete=models.PROTECT,
        related_name="deployments",
        help_text="the known answers that it answers from",
    )
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.WRITE)
    is_logging = models.BooleanField(default=True, help_text="log for retraining")
    params = models.JSONField(default=dict, blank=True)
    starters = models.JSONField(
        default=list, blank=True, help_text="questions that a trainer lets everybody read"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    switched_at = models.DateTimeField(auto_now_add=True)
    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="deployment_mode_known", condition=Q(mode__in=Mode.values)),
            models.CheckConstraint(
                name="deployment_has_what_it_answers_by",
                condition=Q(mode=Mode.WRITE, model__isnull=False)
                | Q(mode=Mode.QUOTE, knowledge__isnull=False)
                | Q(mode=Mode.QUOTE, is_active=False),
            ),
        ]

    def __str__(self) -> str:
        return self.alias

    @property
    def is_answering(self) -> bool:
        """Return whether people may ask it."""
        return self.is_active and (self.export_id is not None or self.is_quoting)

    @property
    def is_quoting(self) -> bool:
        return self.mode == Mode.QUOTE

    @property
    def words_from(self) -> str:
        """Return whose words its answers are."""
        return QUOTED if self.is_quoting else str(self.model)

    @property
    def how(self) -> str:
        """Return in a few words what it answers from."""
        if self.knowledge is None and self.is_quoting:
            return "quotes nothing"
        if self.knowledge is None:
            return "writes without known answers"
        return f"{'quotes' if self.is_quoting else 'writes from'} {self.knowledge.version}"

    @property
    def said(self) -> dict[str, str]:
        """Return what answers, and from what, as the record of changes keeps it."""
        known = "" if self.knowledge is None else str(self.knowledge.version)
        return {"model": str(self.model or ""), "knowledge": known, "mode": self.mode}

    @classmethod
    def uses_of(cls, model_id: UUID) -> list[str]:
        """Say who answers with it and where it takes over; a model that was refused does not."""
        refused = ServingExport.objects.filter(model=model_id, state=State.FAILED)
        writing = cls.objects.filter(mode=Mode.WRITE, is_active=True)
        answering = writing.filter(model=model_id).exclude(export=None)
        waiting = cls.objects.filter(next_model=model_id).exclude(
            next_model__in=refused.values("model")
        )
        return [
            *(f"“{found}” answers with it" for found in answering.order_by("alias")),
            *(f"it is about to answer as “{found}”" for found in waiting.order_by("alias")),
        ]


class DeploymentEvent(models.Model):
    """A switch of a deployment; rows are only ever added."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.ForeignKey(TrainedModel, null=True, on_delete=models.CASCADE, related_name="+")
    detail = models.CharField(max_length=200, default="")

    def __str__(self) -> str:
        return f"{self.deployment_id}: {self.detail}"
