"""Documents cut into chunks: the order, each document with its text, and where its chunks lie."""

from __future__ import annotations

import uuid
from typing import Self

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from datasets_app.models.dataset import Dataset
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.upload import SourceFile
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work


class ChunkSet(Work):
    """Some documents of a team, cut into chunks under one setting, one document after the other.

    What is made of its chunks lands in its dataset.
    """

    job = "datasets.chunk_documents"
    retry = Retry(
        most=8,
        message="Cutting was interrupted several times. Try again: what is done stays done.",
        after_faults=True,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="chunk_sets",
        db_index=False,  # chunkset_name_unique begins with it
    )
    name = models.CharField(max_length=200)
    settings = models.JSONField(help_text="as `corpus.chunks.settings.Settings` writes them")
    settings_sha256 = models.CharField(max_length=64)
    n_documents = models.PositiveIntegerField(default=0)
    n_done = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_chunks = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["dataset", "name"], name="chunkset_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class DocumentState(models.TextChoices):
    """What became of a document. It is no work: nobody claims it, its set is the work."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class DocumentQuerySet(models.QuerySet["Document"]):
    """Documents, as people and workers look for them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self if has_role(user, Role.CURATOR) else self.none()

    def without_text(self) -> Self:
        """Return them for lists: a text may have millions of characters."""
        return self.defer("text", "places", "headings")


class Document(models.Model):
    """One document of a set: its whole text, which its chunks are places in."""

    chunk_set = models.ForeignKey(
        ChunkSet,
        on_delete=models.CASCADE,
        related_name="documents",
        db_index=False,  # document_number_unique begins with it
    )
    number = models.PositiveIntegerField(help_text="its turn in the set, from 1")
    source_file = models.ForeignKey(
        SourceFile, null=True, on_delete=models.SET_NULL, related_name="documents"
    )
    name = models.CharField(max_length=1024)
    kind = models.CharField(max_length=30, default="")
    sha256 = models.CharField(max_length=64, help_text="of the bytes of its file")
    encoding = models.CharField(
        max_length=40,
        default="",
        help_text="that a person chose for its file; told by itself: empty",
    )
    state = models.CharField(
        max_length=10, choices=DocumentState, default=DocumentState.QUEUED, editable=False
    )
    reason = models.TextField(default="", help_text="why it failed, or what is odd; a sentence")
    tries = models.PositiveSmallIntegerField(default=0, help_text="begun and not ended so far")
    text = models.TextField(default="")
    places = models.JSONField(default=list, help_text='[[0, "page 1"], …], by position')
    headings = models.JSONField(default=list, help_text='[[0, 1, "Travel"], …]: position, level')
    n_chunks = models.PositiveIntegerField(default=0)
    n_characters = models.PositiveIntegerField(default=0)
    is_copied = models.BooleanField(
        default=False, help_text="the dataset had it cut in the same way already"
    )
    seconds = models.FloatField(null=True, help_text="that it took")
    finished_at = models.DateTimeField(null=True, editable=False)
    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chunk_set", "number"], name="document_number_unique"),
            models.CheckConstraint(
                name="document_state_known", condition=Q(state__in=DocumentState.values)
            ),
        ]
        indexes = [
            # whether the same bytes were cut before
            models.Index(fields=["sha256"], name="document_by_bytes")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stem(self) -> str:
        """Return the name of its file without folder and ending."""
        base = self.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return base.rpartition(".")[0] or base


class Chunk(models.Model):
    """A piece of a document: `[start, end)` of its text, which is not stored twice."""

    document = models.ForeignKey(
        Document,
        on_delete=models.CASCADE,
        related_name="chunks",
        db_index=False,  # chunk_number_unique begins with it
    )
    number = models.PositiveIntegerField(help_text="from 0, as the earlier pipeline counts")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    headings = ArrayField(models.TextField(), default=list, help_text="above it, the widest first")
    place = models.TextField(default="", help_text="page, paragraph or lines, for people")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="chunk_number_unique"),
            models.CheckConstraint(name="chunk_holds_text", condition=Q(end__gt=F("start"))),
        ]

    def __str__(self) -> str:
        return self.chunk_id

    @property
    def content(self) -> str:
        """Return its words."""
        return self.document.text[self.start : self.end]

    @property
    def chunk_id(self) -> str:
        """Return the name that the earlier pipeline would give it."""
        return f"{self.document.stem}_chunk_{self.number}"
