"""Base models: what runs begin with and what knowledge is found by, fetched or brought."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from datasets_app.models import Encoder, Upload
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work
from otto_web.lib.work.states import OPEN, State
from training_app.models.trained_model import TrainedModel

DELETED = "deleted"  # the reason of a base that was here and that a person took away


class BaseKind(models.TextChoices):
    """What a base is for: to answer, or to tell which texts mean the same."""

    LANGUAGE = "language", "language model"
    ENCODER = "encoder", "sentence encoder"


class BaseSource(models.TextChoices):
    """How it came here."""

    PACKAGE = "package", "package, fetched"
    UPLOAD = "upload", "file that somebody brought"
    LOCAL = "local", "folder of local models"


class BaseQuerySet(models.QuerySet["Base"]):
    """Bases that every trainer of the installation may see."""

    def visible_to(self, user: User) -> BaseQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()

    def ready(self) -> BaseQuerySet:
        return self.filter(state=State.SUCCEEDED)

    def on_the_way(self) -> BaseQuerySet:
        return self.filter(state__in=OPEN)

    def may_answer_soon(self) -> BaseQuerySet:
        """Return those on the way that are language models, or may turn out to be."""
        return self.on_the_way().exclude(kind=BaseKind.ENCODER)


class Base(Work):
    """A base model on its way to this installation, or here: one row for each name.

    What it becomes is a model or an encoder like any other; the row keeps where that came from.
    """

    job = "training.prepare_base"
    retry = Retry(
        message="Preparing it was interrupted several times. Add it again.", after_faults=False
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(
        max_length=10, choices=BaseKind, blank=True, default="", help_text="empty until it is read"
    )
    source = models.CharField(max_length=10, choices=BaseSource)
    spec = models.JSONField(default=dict, help_text="what is fetched or read, and its hashes")
    bytes_done = models.PositiveBigIntegerField(default=0, editable=False)
    bytes_total = models.PositiveBigIntegerField(default=0, editable=False)
    phase = models.CharField(max_length=20, default="", editable=False)
    licence = models.CharField(max_length=200, default="", blank=True)
    languages = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    where_from = models.CharField(max_length=300, default="", blank=True)
    figures = models.JSONField(default=dict, editable=False, help_text="what its folder says")
    is_servable = models.BooleanField(default=False, editable=False)
    unservable_because = models.TextField(default="", blank=True, editable=False)
    model = models.OneToOneField(
        TrainedModel, null=True, editable=False, on_delete=models.SET_NULL, related_name="base"
    )
    encoder = models.OneToOneField(
        Encoder, null=True, editable=False, on_delete=models.SET_NULL, related_name="base"
    )
    upload = models.OneToOneField(
        Upload, null=True, editable=False, on_delete=models.SET_NULL, related_name="base"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = BaseQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="base_kind_known", condition=Q(kind__in=["", *BaseKind.values])
            ),
            models.CheckConstraint(
                name="base_source_known", condition=Q(source__in=BaseSource.values)
            ),
        ]

    def __str__(self) -> str:
        return self.title
