"""Conversations, and what the rules found in them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Cast, Coalesce, Upper

from datasets_app.models.beginnings import BY_ANSWER, BY_QUESTION
from datasets_app.models.dataset import Dataset
from datasets_app.models.upload import SourceFile

SEARCH_PENDING_KILOBYTES = 256 << 10


class Status(models.TextChoices):
    KEPT = "kept"
    REVIEW = "review"
    EXCLUDED = "excluded"


class Decision(models.TextChoices):
    KEEP = "keep"
    EXCLUDE = "exclude"

    @property
    def status(self) -> Status:
        """Return what a row is after it."""
        return Status.KEPT if self == Decision.KEEP else Status.EXCLUDED


class Origin(models.TextChoices):
    FILE = "file"
    CHAT = "chat"
    HAND = "hand", "written by hand"
    DOCUMENT = "document", "made of a document"


class Conversation(models.Model):
    """One row of a dataset: its turns, where they came from, and what the rules said.

    What a decision or a version writes stands in no index but one of summaries, and pages are kept
    half empty, so that PostgreSQL changes such a row in place: otherwise it would write every index
    anew.
    """

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="conversations",
        db_index=False,  # conversation_position_unique begins with it
    )
    position = models.PositiveBigIntegerField()
    between = models.FloatField(
        null=True, help_text="the place in the order of arrival, of what was split off another row"
    )
    arrival = models.GeneratedField(
        expression=Coalesce("between", Cast("position", models.FloatField())),
        output_field=models.FloatField(),
        db_persist=True,
    )
    turns = models.JSONField()
    text = models.TextField(help_text="all turns, for the search")
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
    place = models.TextField(default="", db_default="", help_text="in a document, for people")
    reading = models.PositiveIntegerField(
        default=0, db_default=0, help_text="the last reading of its file that gave it"
    )
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
    language = models.CharField(
        max_length=8, default="", db_default="", help_text="a code; empty where nothing tells"
    )
    n_turns = models.PositiveIntegerField(default=0)
    n_words = models.PositiveIntegerField(default=0)
    split = models.CharField(max_length=10, null=True)
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
            # whether a file has passages
            models.Index(
                fields=["source_file"], name="conversation_passages", condition=Q(is_passage=True)
            ),
            # the table in the order of arrival
            models.Index(fields=["dataset", "arrival", "id"], name="conversation_by_arrival"),
            # the table by quality
            models.Index(fields=["dataset", "quality", "id"], name="conversation_by_quality"),
            # the table by length
            models.Index(fields=["dataset", "n_words", "id"], name="conversation_by_length"),
            # the table by number of turns
            models.Index(fields=["dataset", "n_turns", "id"], name="conversation_by_turns"),
            # the table by language, and rows of a rare one
            models.Index(fields=["dataset", "language", "id"], name="conversation_by_language"),
            # the table by the first question, and by its answer
            models.Index("dataset", BY_QUESTION, "id", name="conversation_by_question"),
            models.Index("dataset", BY_ANSWER, "id", name="conversation_by_answer"),
            # rare rows by what a decision or a version writes: an index that summarises pages, so
            # that rows are still changed in place (PostgreSQL 16 and newer)
            BrinIndex(
                fields=["dataset", "status", "split", "updated_by", "updated_at", "revision"],
                name="conversation_by_state",
                pages_per_range=16,
                autosummarize=True,
            ),
            # copies of one text
            models.Index(fields=["dataset", "exact_key"], name="conversation_by_exact_key"),
            # the search box: three letters in a row anywhere in the text. What is new waits in a
            # list, which PostgreSQL sorts in when it tidies up: an import would take twice as long
            GinIndex(
                OpClass(Upper("text"), name="gin_trgm_ops"),
                name="conversation_by_letters",
                gin_pending_list_limit=SEARCH_PENDING_KILOBYTES,
            ),
            # rows of one reason
            GinIndex(fields=["reasons"], name="conversation_by_reasons"),
            # the first rows of one file
            models.Index(fields=["source_file", "position"], name="conversation_by_file"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} {self.position}"


class ConversationRevision(models.Model):
    """What a row said before somebody changed it; never changed itself.

    The row holds its present revision, so that a row that nobody changed has none of these.
    """

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="revisions",
        db_index=False,  # conversation_revision_unique begins with it
    )
    revision = models.PositiveIntegerField()
    turns = models.JSONField()
    row_hash = models.CharField(max_length=64)
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    replaced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "revision"], name="conversation_revision_unique"
            )
        ]
        indexes = [
            # what a row said when it came
            models.Index(
                fields=["row_hash"], condition=Q(revision=1), name="conversation_revision_first"
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} revision {self.revision}"


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
