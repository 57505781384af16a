"""Encoders: models that turn a sentence into a vector of what it means."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

ENCODERS = "encoders"  # the folder of all of them, in the data folder


class EncoderState(models.TextChoices):
    """Whether an encoder's folder is there. It is no work: the row comes when that is whole."""

    READY = "ready"
    DELETED = "deleted"


class EncoderQuerySet(models.QuerySet["Encoder"]):
    """Encoders that came to this installation; deleted ones are tombstones."""

    def ready(self) -> EncoderQuerySet:
        return self.filter(state=EncoderState.READY)

    def current(self) -> Encoder | None:
        """Return the encoder that new knowledge is built with: the newest that is there."""
        return self.ready().order_by("-created_at").first()


class Encoder(models.Model):
    """A sentence encoder: a folder that never changes, with a graph, a tokenizer and its sizes.

    The graph takes `input_ids` and `attention_mask`, and gives `vectors` of length one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=300, help_text="relative to the data folder")
    dims = models.PositiveIntegerField()
    max_tokens = models.PositiveIntegerField()
    languages = ArrayField(models.CharField(max_length=20), default=list)
    sha256 = models.CharField(max_length=64, help_text="of the graph that is used")
    precision = models.CharField(max_length=10, default="fp32", help_text="of that graph")
    state = models.CharField(max_length=10, choices=EncoderState, default=EncoderState.READY)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = EncoderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="encoder_state_known", condition=Q(state__in=EncoderState.values)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """Return where the encoder lies."""
        return Path(settings.OTTO_DATA_DIR) / self.path
