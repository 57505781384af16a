"""Pairs made of documents: who words them, the order, each chunk's turn, each pair's origin."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from datasets_app.corpus.pairs.registry import label_of
from datasets_app.corpus.providers.registry import kind_of
from datasets_app.models.conversation import Conversation
from datasets_app.models.dataset import Dataset
from datasets_app.models.documents import Chunk, ChunkSet
from datasets_app.models.querysets import CuratorsQuerySet
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work


class Provider(models.Model):
    """An address that an admin added, at which language models are asked.

    Its key is encrypted and only written: nothing shows more than its last four signs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20)
    base_url = models.URLField(max_length=500)
    sealed_key = models.TextField(default="", editable=False)
    key_hint = models.CharField(max_length=4, default="", editable=False)
    model = models.CharField(
        max_length=200, default="", blank=True, help_text="where nothing else is said"
    )
    concurrency = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(16)]
    )
    per_minute = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    budget_tokens = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="in all; nothing: no end"
    )
    used_tokens = models.PositiveBigIntegerField(default=0, editable=False)
    connect_seconds = models.FloatField(
        default=10, validators=[MinValueValidator(0.1), MaxValueValidator(120)]
    )
    reply_seconds = models.FloatField(
        default=120, validators=[MinValueValidator(0.1), MaxValueValidator(3600)]
    )
    next_at = models.DateTimeField(null=True, editable=False, help_text="the next free turn")
    is_on = models.BooleanField(default=True)
    tested_at = models.DateTimeField(null=True, editable=False)
    is_working = models.BooleanField(null=True, editable=False)
    test_message = models.TextField(default="", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def kind_label(self) -> str:
        kind = kind_of(self.kind)
        return kind.label if kind else self.kind


class PairGeneration(Work):
    """An order: each chunk of a set is asked for pairs, by each recipe, which land in a dataset."""

    job = "datasets.generate_pairs"
    retry = Retry(
        most=6,
        message="Making pairs was interrupted several times. Continue: what is done stays done.",
        after_faults=True,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chunk_set = models.ForeignKey(ChunkSet, on_delete=models.CASCADE, related_name="generations")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="generations")
    provider = models.ForeignKey(
        Provider,
        null=True,
        on_delete=models.PROTECT,
        related_name="generations",
        help_text="nothing: the built-in generator, without any model",
    )
    model = models.CharField(max_length=200, default="")
    recipes = models.JSONField(default=list, help_text="as `corpus.pairs.recipes.Recipe` says them")
    patterns = ArrayField(models.CharField(max_length=30), default=list, help_text="switched on")
    questions = models.PositiveSmallIntegerField(default=3, help_text="of each chunk, built in")
    temperature = models.FloatField(default=0.7)
    max_tokens = models.PositiveIntegerField(default=2000)
    reasoning = models.BooleanField(default=False)
    is_filled = models.BooleanField(default=False, help_text="every chunk has its turns")
    refused_in_row = models.PositiveIntegerField(default=0, help_text="by the provider, now")
    n_new = models.PositiveIntegerField(default=0, help_text="rows that the dataset had not yet")
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            # the newest of a dataset
            models.Index(fields=["dataset", "-created_at"], name="generation_newest"),
        ]

    def __str__(self) -> str:
        return f"pairs of {self.chunk_set}"

    @property
    def by(self) -> str:
        """Return who words the pairs: a provider and its model, or the built-in generator.

        Of pairs that were brought, it is what their file says.
        """
        if self.provider:
            return f"{self.provider}:{self.model}"
        return self.model or "built-in"


class ItemState(models.TextChoices):
    """What became of one turn. It is no work: nobody claims it, its generation is the work."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class ItemQuerySet(models.QuerySet["GenerationItem"]):
    """Turns, as people look for them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self if has_role(user, Role.CURATOR) else self.none()


class GenerationItem(models.Model):
    """One chunk's turn under one recipe: what was asked, replied, and made of it."""

    generation = models.ForeignKey(
        PairGeneration,
        on_delete=models.CASCADE,
        related_name="items",
        db_index=False,  # generationitem_once begins with it
    )
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="items")
    recipe = models.PositiveSmallIntegerField(
        default=0, help_text="its number in the order, from 0"
    )
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.QUEUED)
    asked = models.PositiveSmallIntegerField()
    achieved = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    prompt = models.TextField(default="")
    reply = models.TextField(default="", help_text="as it came")
    error = models.TextField(default="", help_text="a sentence")
    tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(null=True)
    finished_at = models.DateTimeField(null=True)
    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "chunk", "recipe"], name="generationitem_once"
            ),
            models.CheckConstraint(
                name="generationitem_state_known", condition=Q(state__in=ItemState.values)
            ),
        ]
        indexes = [
            # whose turn is next, and what failed
            models.Index(fields=["generation", "state", "id"], name="generationitem_by_turn"),
            # the log, newest first
            models.Index(
                fields=["generation", "-finished_at"],
                name="generationitem_log",
                condition=Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chunk} recipe {self.recipe}"


class Pair(models.Model):
    """Where a conversation comes from: its chunk, and the answer's place in the document."""

    conversation = models.OneToOneField(
        Conversation, primary_key=True, on_delete=models.CASCADE, related_name="pair"
    )
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="pairs")
    item = models.ForeignKey(
        GenerationItem, null=True, on_delete=models.SET_NULL, related_name="pairs"
    )
    start = models.PositiveIntegerField(
        null=True, help_text="in the document's text, in characters"
    )
    end = models.PositiveIntegerField(null=True)
    is_verbatim = models.BooleanField(default=True, help_text="the answer is what stands there")
    pattern = models.CharField(max_length=30, default="", help_text="of the built-in generator")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pair_has_both_ends",
                condition=Q(start__isnull=True, end__isnull=True) | Q(end__gt=F("start")),
            )
        ]
        indexes = [
            # the yield of each pattern
            models.Index(fields=["item", "pattern"], name="pair_by_pattern")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} of {self.chunk_id}"

    @property
    def pattern_label(self) -> str:
        return label_of(self.pattern) if self.pattern else ""
