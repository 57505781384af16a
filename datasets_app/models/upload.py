"""Uploads, the files found in them, and the places to look at."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from datasets_app.models.blob import Blob
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.reasons import sentence
from otto_web.lib.work.rows import Retry, Work
from otto_web.lib.work.states import State

WITHDRAWN, EXPIRED = "withdrawn", "expired"  # why an upload was cancelled


class Purpose(models.TextChoices):
    """What the bytes of an upload are for."""

    DATA = "data", "conversations"
    MODEL = "model", "a model, which the training room takes over"


class UploadQuerySet(CuratorsQuerySet):
    """Uploads, as people and workers look for them."""

    def shown(self) -> Self:
        """Return those of data, but for what a person took back: its rows are on their way out."""
        data = self.filter(purpose=Purpose.DATA)
        return data.exclude(state=State.CANCELLED, reason=WITHDRAWN)

    def of_models(self) -> Self:
        """Return the files in which somebody brings a model."""
        return self.filter(purpose=Purpose.MODEL)


class Upload(Work):
    """One file that a person sent, from its first chunk to its last conversation.

    Of the last attempt the file goes away at which worker after worker was lost.
    """

    job = "datasets.import_upload"
    turn = ("size", "queued_at")
    retry = Retry(most=6, message=sentence("worker_lost"), after_faults=True)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=1024)
    claimed_type = models.CharField(max_length=200, default="")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.DATA)
    size = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0, editable=False)
    claimed_sha256 = models.CharField(max_length=64, default="")
    seen_sha256 = models.CharField(max_length=64, default="", help_text="of the bytes that came")
    dataset_name = models.CharField(max_length=200, default="", help_text="chosen by a person")
    is_again = models.BooleanField(default=False, help_text="load although the bytes are known")
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVING, editable=False)
    idem_key = models.CharField(max_length=100, null=True)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="uploads")
    dataset = models.ForeignKey(
        "Dataset", null=True, on_delete=models.SET_NULL, related_name="uploads"
    )
    duplicate_of = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="copies"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    objects = UploadQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["created_by", "idem_key"], name="upload_idem_unique"),
            models.CheckConstraint(
                name="upload_purpose_known", condition=Q(purpose__in=Purpose.values)
            ),
            models.CheckConstraint(name="upload_offset_fits", condition=Q(offset__lte=F("size"))),
        ]
        indexes = [
            *Work.Meta.indexes,
            # the reaper's look for uploads that nobody goes on sending
            models.Index(
                fields=["expires_at"], condition=Q(state="receiving"), name="upload_expiry"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> str:
        """Return why it stands as it does, for a person."""
        return self.message or sentence(self.reason)


class FileState(models.TextChoices):
    """What became of a file. It is no work: nobody claims a file, its upload is the work.

    Three words mean what they mean of work. The other two are those of the file's bytes, of which
    each is loaded, skipped or failed: a file that was read is loaded, though some of it may be
    skipped, and one that is skipped has not failed, for nothing went wrong.
    """

    QUEUED = "queued"
    LOADED = "loaded"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"


BROKEN_OFF = Q(blob__isnull=False) & (
    Q(reason__in=("own_fault", "too_slow", "worker_lost"))
    | Q(verdict=FileState.FAILED, n_records__gt=0)
)


class SourceFileQuerySet(CuratorsQuerySet):
    """Files of uploads that nobody took back."""

    def shown(self) -> Self:
        return self.exclude(upload__state=State.CANCELLED, upload__reason=WITHDRAWN)

    def to_read(self) -> Self:
        """Return those that nobody has read yet, in the order in which they are."""
        return self.filter(verdict=FileState.QUEUED).order_by("depth", "member_no")

    def at_rest(self) -> Self:
        """Return files that were read, or tried to be, into a dataset that is still there."""
        ended = (FileState.LOADED, FileState.SKIPPED, FileState.FAILED)
        there = self.filter(blob__isnull=False, upload__dataset__deleted_at=None)
        return there.filter(verdict__in=ended)

    def with_other_encodings(self) -> Self:
        """Return files that were read, or wait for an answer, and may be read anew."""
        there = self.filter(blob__isnull=False, upload__dataset__deleted_at=None)
        return there.exclude(verdict=FileState.QUEUED)

    def broken_off(self) -> Self:
        """Return files that were not read to their end, though they might be another time."""
        return self.filter(BROKEN_OFF)


class SourceFile(models.Model):
    """A file of an upload: the upload itself, or a member of an archive in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="members")
    member_no = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=1024)
    depth = models.PositiveSmallIntegerField(default=0)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="files")
    size = models.PositiveBigIntegerField(default=0)
    section = models.PositiveIntegerField(default=0, help_text="which part of the blob; 0: all")
    kind = models.CharField(max_length=30, default="")
    kind_why = ArrayField(models.TextField(), default=list)
    encoding = models.CharField(max_length=40, default="")
    encoding_why = ArrayField(models.TextField(), default=list)
    chosen_encoding = models.CharField(max_length=40, default="")
    mapping = models.JSONField(null=True)
    mapping_sha256 = models.CharField(max_length=64, default="")
    waiting_for = models.JSONField(null=True, help_text="columns and first rows of the form")
    reading = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often reading began at its first byte"
    )
    anew = models.JSONField(
        null=True,
        help_text="reading it anew: how it was before, which rows stay and which go, what a "
        "person agreed to lose",
    )
    verdict = models.CharField(max_length=10, choices=FileState, default=FileState.QUEUED)
    reason = models.CharField(max_length=60, default="")
    note = models.TextField(default="")
    n_total = models.PositiveBigIntegerField(default=0, help_text="units (bytes) of the file")
    n_loaded = models.PositiveBigIntegerField(default=0)
    n_skipped = models.PositiveBigIntegerField(default=0)
    n_failed = models.PositiveBigIntegerField(default=0)
    n_records = models.PositiveBigIntegerField(default=0)
    n_issues = models.PositiveBigIntegerField(default=0)
    n_parts = models.PositiveBigIntegerField(default=0, help_text="of a document")
    n_parts_loaded = models.PositiveBigIntegerField(default=0)
    n_parts_skipped = models.PositiveBigIntegerField(default=0)
    n_parts_failed = models.PositiveBigIntegerField(default=0)
    n_known = models.PositiveBigIntegerField(default=0, help_text="records the dataset had already")
    cursor = models.PositiveBigIntegerField(default=0, help_text="items of the reader written")
    reader = models.CharField(max_length=60, default="", help_text="whose items the cursor counts")
    finished_at = models.DateTimeField(null=True, editable=False)
    objects = SourceFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="sourcefile_verdict_known", condition=Q(verdict__in=FileState.values)
            ),
            models.UniqueConstraint(
                fields=["upload", "parent", "member_no"],
                name="sourcefile_member_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="sourcefile_sums_tile",
                condition=~Q(verdict__in=["loaded", "skipped", "failed"])
                | Q(n_total=F("n_loaded") + F("n_skipped") + F("n_failed")),
            ),
            models.CheckConstraint(
                name="sourcefile_parts_add_up",
                condition=Q(
                    n_parts=F("n_parts_loaded") + F("n_parts_skipped") + F("n_parts_failed")
                ),
            ),
        ]
        indexes = [
            # the next file to read, of fifty thousand in one archive
            models.Index(
                fields=["upload", "depth", "member_no"],
                name="sourcefile_by_turn",
                condition=Q(verdict="queued"),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def as_it_was(self) -> dict[str, Any] | None:
        """Return the columns of a file before it was read anew, as long as no row of it changed."""
        is_stopped = self.verdict in {FileState.WAITING, FileState.FAILED} and not self.cursor
        before: dict[str, Any] | None = (self.anew or {}).get("before") if is_stopped else None
        return before


class Issue(models.Model):
    """Something in a source file that did not load, or loaded with a note."""

    source_file = models.ForeignKey(SourceFile, on_delete=models.CASCADE, related_name="issues")
    code = models.CharField(max_length=60)
    line = models.PositiveBigIntegerField(null=True)
    column = models.PositiveBigIntegerField(null=True)
    start = models.PositiveBigIntegerField()
    end = models.PositiveBigIntegerField()
    message = models.TextField()
    place = models.TextField(default="", help_text="in a document, for people")
    sample = models.TextField(default="")

    class Meta:
        # the issues of one file in file order
        indexes = [models.Index(fields=["source_file", "start"], name="issue_by_place")]

    def __str__(self) -> str:
        return f"{self.code} at {self.start}"
