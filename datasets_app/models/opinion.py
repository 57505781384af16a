"""Second opinions: rows that somebody decided about are judged by another, who does not see how."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from datasets_app.models.action import Action
from datasets_app.models.conversation import Conversation, Decision
from datasets_app.models.dataset import Dataset
from datasets_app.models.querysets import CuratorsQuerySet


class Opinion(models.Model):
    """A request to judge a sample of decided rows; nothing of it is shown before it is over."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="opinions")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    judge = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who is asked; nobody: whoever may curate",
    )
    seed = models.PositiveIntegerField(help_text="the same rows are drawn for the same seed")
    query = models.TextField(default="", help_text="what was drawn from, as the table's address")
    drawn_from = models.PositiveBigIntegerField(help_text="how many rows these were")
    asked_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        return f"second opinion {self.pk}"


class OpinionRow(models.Model):
    """A row of the sample: what was decided when it was drawn, and what the other one says."""

    opinion = models.ForeignKey(
        Opinion,
        on_delete=models.CASCADE,
        related_name="rows",
        db_index=False,  # opinionrow_place_unique begins with it
    )
    place = models.PositiveIntegerField()
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField(help_text="of the words that both judge")
    first = models.CharField(max_length=10, choices=Decision)
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    second = models.CharField(max_length=10, choices=Decision, null=True)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    second_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, help_text="nobody else gets the row till then")
    action = models.ForeignKey(
        Action,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="what settled a difference, as long as that is not undone",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["opinion", "place"], name="opinionrow_place_unique"),
            models.CheckConstraint(
                name="opinionrow_second_has_time",
                condition=Q(second__isnull=True, second_at__isnull=True)
                | Q(second__isnull=False, second_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opinion_id}: row {self.place}"
