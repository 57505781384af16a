"""Rows of the data rooms: uploads and their files, datasets, conversations, versions."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Left

from datasets_app.intake_rows import (
    BROKEN_OFF,
    Blob,
    Issue,
    SourceFile,
    Upload,
    UploadState,
    Verdict,
)
from datasets_app.querysets import CuratorsQuerySet

__all__ = [
    "BROKEN_OFF",
    "Action",
    "ActionGroup",
    "Blob",
    "Choice",
    "Conversation",
    "ConversationRevision",
    "CuratorsQuerySet",
    "Dataset",
    "Decision",
    "Finding",
    "Issue",
    "Origin",
    "Rescoring",
    "SourceFile",
    "Status",
    "Upload",
    "UploadState",
    "Verdict",
    "Version",
    "VersionRow",
    "VersionState",
]
SEARCHED_CHARACTERS = 100_000  # a tsvector ends at 1 MiB


class Dataset(models.Model):
    """A named collection of conversations that a team curates."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,  # made by a command
        on_delete=models.SET_NULL,
        related_name="datasets",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    policy = models.JSONField(
        default=dict, blank=True, help_text="the rule settings that differ from standard"
    )
    split_seed = models.PositiveIntegerField(default=42)
    valid_share = models.FloatField(default=0.10)
    test_share = models.FloatField(default=0.05)
    next_position = models.PositiveBigIntegerField(default=1, editable=False)
    changes = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="goes up whenever rows change: counts are kept by it"
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    emptied_at = models.DateTimeField(
        null=True, editable=False, help_text="when the rows of a deleted dataset were gone"
    )
    objects = CuratorsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at=None), name="dataset_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    KEPT = "kept"
    REVIEW = "review"
    EXCLUDED = "excluded"


class Decision(models.TextChoices):
    KEEP = "keep"
    EXCLUDE = "exclude"


class Origin(models.TextChoices):
    FILE = "file"
    CHAT = "chat"
    SAMPLE = "sample"
    HAND = "hand"


class Conversation(models.Model):
    """One row of a dataset: its turns, where they came from, and what the rules said.

    What a decision or a version writes stands in no index, and pages are kept half empty, so that
    PostgreSQL changes such a row in place: otherwise it would write every index anew.
    """

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="conversations",
        db_index=False,  # conversation_position_unique begins with it
    )
    position = models.PositiveBigIntegerField()
    turns = models.JSONField()
    text = models.TextField(help_text="all turns, for the search")
    words = models.GeneratedField(
        expression=SearchVector(Left("text", SEARCHED_CHARACTERS), config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    is_passage = models.GeneratedField(
        expression=Case(When(turns__0__role="text", then=True), default=False),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    row_hash = models.CharField(max_length=64)
    exact_key = models.CharField(max_length=64, help_text="equal for copies of one text")
    revision = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=10, choices=Origin)
    origin_key = models.CharField(max_length=64)
    source_file = models.ForeignKey(
        SourceFile,
        null=True,
        on_delete=models.SET_NULL,
        related_name="conversations",
        db_index=False,  # conversation_by_file begins with it
    )
    start = models.PositiveBigIntegerField(null=True)
    end = models.PositiveBigIntegerField(null=True)
    meta = models.JSONField(default=dict, help_text="extra fields of the record")
    status = models.CharField(max_length=10, choices=Status, default=Status.KEPT)
    decision = models.CharField(max_length=10, choices=Decision, null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    quality = models.PositiveSmallIntegerField(default=100)
    reasons = ArrayField(
        models.CharField(max_length=30),
        default=list,
        help_text="the rules with an open finding of severity E or R",
    )
    n_turns = models.PositiveIntegerField(default=0)
    n_words = models.PositiveIntegerField(default=0)
    tags = ArrayField(models.CharField(max_length=60), default=list)
    side = models.CharField(max_length=10, null=True)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "origin_key"], name="conversation_origin_unique"
            ),
            models.UniqueConstraint(
                fields=["dataset", "position"], name="conversation_position_unique"
            ),
            models.CheckConstraint(
                name="conversation_status_known", condition=Q(status__in=Status.values)
            ),
        ]
        indexes = [
            # the table by quality
            models.Index(fields=["dataset", "quality", "id"], name="conversation_by_quality"),
            # the table by length
            models.Index(fields=["dataset", "n_words", "id"], name="conversation_by_length"),
            # copies of one text
            models.Index(fields=["dataset", "exact_key"], name="conversation_by_exact_key"),
            # the search box
            GinIndex(fields=["words"], name="conversation_by_words"),
            # rows of one reason
            GinIndex(fields=["reasons"], name="conversation_by_reasons"),
            # the first rows of one file
            models.Index(fields=["source_file", "position"], name="conversation_by_file"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} {self.position}"


class Rescoring(models.Model):
    """A dataset's rows are being judged again, in slices; the row goes when all are done."""

    dataset = models.OneToOneField(
        Dataset, primary_key=True, on_delete=models.CASCADE, related_name="rescoring"
    )
    cursor = models.PositiveBigIntegerField(default=0, help_text="the last conversation judged")
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    touched_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.dataset_id}: {self.done} of {self.total}"


class Finding(models.Model):
    """A rule's verdict about one turn."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="findings"
    )
    turn = models.PositiveIntegerField()
    rule = models.CharField(max_length=30)
    rule_version = models.PositiveSmallIntegerField()
    severity = models.CharField(max_length=1)
    value = models.FloatField()
    threshold = models.FloatField()
    spans = models.JSONField(default=list)
    note = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "turn", "rule"], name="finding_one_per_rule"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} on turn {self.turn}"


class ConversationRevision(models.Model):
    """What a conversation said before an edit."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="revisions"
    )
    revision = models.PositiveIntegerField()
    turns = models.JSONField()
    row_hash = models.CharField(max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "revision"], name="revision_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} revision {self.revision}"


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


class Choice(models.TextChoices):
    KEPT = "kept", "kept"
    REVIEW = "review", "kept and review"
    ALL = "all", "all, also excluded"


class VersionState(models.TextChoices):
    FREEZING = "freezing"
    READY = "ready"
    FAILED = "failed"


class Version(models.Model):
    """A frozen, ordered selection of a dataset's conversations; once ready it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    choice = models.CharField(max_length=10, choices=Choice, default=Choice.KEPT)
    policy = models.JSONField(default=dict, blank=True)
    policy_sha256 = models.CharField(max_length=64)
    split_seed = models.PositiveIntegerField()
    shares = models.JSONField()
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.READY)
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    reason = models.TextField(default="", blank=True, editable=False)
    counts = models.JSONField(
        default=dict, blank=True, help_text="rows by side, words, characters, passages, set aside"
    )
    quality_score = models.FloatField(default=0.0)
    manifest_sha256 = models.CharField(max_length=64, default="", blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="version_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class VersionRow(models.Model):
    """One line of a version's manifest."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveBigIntegerField()
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="version_rows"
    )
    revision = models.PositiveIntegerField()
    row_hash = models.CharField(max_length=64)
    side = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="versionrow_place_unique")
        ]
        indexes = [
            # reading one side in order
            models.Index(fields=["version", "side", "position"], name="versionrow_by_side")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.position}"
