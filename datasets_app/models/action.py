"""Changes that a person made to rows and that can be undone."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from datasets_app.models.dataset import Dataset


class Action(models.Model):
    """One change that a person made to one or many rows, and that can be undone."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="actions")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    filter = models.JSONField(default=dict)
    previewed = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)
    undoes = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="undone_by"
    )

    def __str__(self) -> str:
        return self.title


class ActionGroup(models.Model):
    """What an action did to those of its rows that were alike before it.

    A hundred thousand rows are a handful of groups; an id whose row is gone does no harm.
    """

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="groups")
    before = models.JSONField()
    after = models.JSONField()
    conversations = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{self.action_id}: {len(self.conversations)} rows"
