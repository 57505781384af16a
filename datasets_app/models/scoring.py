"""Scorings: what a judge says of a dataset's pairs; it changes and removes none of them."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from datasets_app.models.conversation import Conversation
from datasets_app.models.dataset import Dataset
from datasets_app.models.querysets import CuratorsQuerySet
from otto_web.lib.work.rows import Retry, Work


class Judge(models.TextChoices):
    OFFLINE = "offline", "offline, by the text"
    PROVIDER = "provider", "a model of a provider"
    IMPORTED = "imported", "read from a report"


class Scoring(Work):
    """An order to have rows of a dataset scored, and what came of it.

    One scoring serves many versions: the cuts and the threshold are looked at when they are used.
    """

    job = "datasets.score_pairs"
    retry = Retry(
        message="Scoring was interrupted several times. Go on: what is scored stays scored.",
        after_faults=True,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="scorings")
    query = models.TextField(
        default="", blank=True, help_text="which rows, as the table's address; all: empty"
    )
    judge = models.CharField(max_length=10, choices=Judge, default=Judge.OFFLINE)
    provider = models.CharField(max_length=200, default="", blank=True)
    model = models.CharField(max_length=200, default="", blank=True)
    passing = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal("8.00"))
    failing = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal("7.00"))
    cursor = models.PositiveBigIntegerField(default=0, help_text="number of the last row seen")
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0.0)
    refused_in_row = models.PositiveIntegerField(default=0, help_text="by the provider, now")
    calibration = models.JSONField(default=dict, blank=True)
    probes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="scoring_cuts_in_order",
                condition=Q(failing__gte=0, passing__gte=models.F("failing"), passing__lte=10),
            ),
            models.CheckConstraint(name="scoring_judge_known", condition=Q(judge__in=Judge.values)),
        ]

    def __str__(self) -> str:
        return f"scores of {self.dataset}"

    @property
    def judge_name(self) -> str:
        """Return the judge as files name it: `provider:model`."""
        if self.judge == Judge.OFFLINE:
            return f"offline:{self.model}"
        return f"{self.provider}:{self.model}" if self.provider else self.model


class ScoreState(models.TextChoices):
    QUEUED = "queued"  # somebody wants it judged again
    SCORED = "scored"
    UNSCORED = "unscored"


class Score(models.Model):
    """What the judge says of one row, of the words that it had then."""

    scoring = models.ForeignKey(
        Scoring,
        on_delete=models.CASCADE,
        related_name="scores",
        db_index=False,  # score_row_unique begins with it
    )
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="scores")
    revision = models.PositiveIntegerField()
    accuracy = models.FloatField(null=True)
    completeness = models.FloatField(null=True)
    consistency = models.FloatField(null=True)
    overall = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    state = models.CharField(max_length=10, choices=ScoreState)
    evidence = models.JSONField(default=dict, help_text="a sentence for each of the three")
    issues = models.JSONField(default=list)
    recommendations = models.JSONField(default=list)
    why_not = models.TextField(default="", help_text="why there is no score; a sentence")
    raw = models.TextField(default="", help_text="what a provider replied")
    attempts = models.PositiveSmallIntegerField(default=1)
    seconds = models.FloatField(default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scoring", "conversation"], name="score_row_unique"),
            models.CheckConstraint(
                name="score_overall_iff_scored",
                condition=Q(
                    state="scored",
                    overall__isnull=False,
                    accuracy__isnull=False,
                    completeness__isnull=False,
                    consistency__isnull=False,
                )
                | Q(state__in=["queued", "unscored"], overall__isnull=True),
            ),
        ]
        indexes = [
            # the pairs of a scoring by their score, and how many lie in each bucket
            models.Index(fields=["scoring", "overall", "id"], name="score_by_overall"),
            # what is to be judged again, and what has no score
            models.Index(
                fields=["scoring", "state", "id"],
                name="score_without",
                condition=~Q(state="scored"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.overall}"


class ScoreLabel(models.Model):
    """What a person gives a pair, from 0 to 10, without seeing what the judge gave."""

    scoring = models.ForeignKey(
        Scoring,
        on_delete=models.CASCADE,
        related_name="labels",
        db_index=False,  # scorelabel_place_unique begins with it
    )
    place = models.PositiveIntegerField()
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField(help_text="of the words that were drawn")
    label = models.FloatField(null=True)
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    labelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scoring", "place"], name="scorelabel_place_unique"),
            models.UniqueConstraint(
                fields=["scoring", "conversation"], name="scorelabel_row_unique"
            ),
            models.CheckConstraint(
                name="scorelabel_in_range",
                condition=Q(label__isnull=True, labelled_at__isnull=True)
                | Q(label__gte=0, label__lte=10, labelled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.label}"
