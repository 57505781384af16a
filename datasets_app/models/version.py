"""Versions: frozen, ordered selections of a dataset's conversations."""

from __future__ import annotations

import uuid

from django.db import models

from datasets_app.models.conversation import Conversation, Status
from datasets_app.models.dataset import Dataset
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.scoring import Scoring
from otto_web.lib.work.rows import Retry, Work


class Choice(models.TextChoices):
    KEPT = "kept", "kept"
    REVIEW = "review", "kept and review"
    ALL = "all", "all, also excluded"


CHOSEN: dict[str, tuple[str, ...]] = {
    Choice.KEPT: (Status.KEPT,),
    Choice.REVIEW: (Status.KEPT, Status.REVIEW),
    Choice.ALL: (Status.KEPT, Status.REVIEW, Status.EXCLUDED),
}


class Version(Work):
    """A frozen, ordered selection of a dataset's conversations; once frozen it never changes."""

    job = "datasets.freeze_version"
    retry = Retry(
        message="Freezing was interrupted several times. Freeze another version.",
        after_faults=True,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    note = models.TextField(
        default="", db_default="", blank=True, max_length=2_000, help_text="for people"
    )
    choice = models.CharField(max_length=10, choices=Choice, default=Choice.KEPT)
    scoring = models.ForeignKey(
        Scoring,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="versions",
        db_index=False,
        help_text="by whose scores its rows were chosen; none: by their status alone",
    )
    threshold = models.DecimalField(
        max_digits=4, decimal_places=2, null=True, blank=True, help_text="of those scores"
    )
    with_passages = models.BooleanField(
        default=False, db_default=False, help_text="beside scored pairs, what they were made of"
    )
    policy = models.JSONField(default=dict, blank=True)
    policy_sha256 = models.CharField(max_length=64)
    split_seed = models.PositiveIntegerField()
    shares = models.JSONField()
    counts = models.JSONField(
        default=dict, blank=True, help_text="rows by split, words, characters, passages, set aside"
    )
    quality_score = models.FloatField(default=0.0)
    manifest_sha256 = models.CharField(max_length=64, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["dataset", "number"], name="version_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class VersionPart(models.Model):
    """A version that another one was mixed from, and what it gave; it cannot go while that stands.

    The order says `share`; `rows` and `splits` are there once the mix is frozen.
    """

    version = models.ForeignKey(
        Version,
        on_delete=models.CASCADE,
        related_name="parts",
        db_index=False,  # versionpart_place_unique begins with it
    )
    place = models.PositiveSmallIntegerField()
    source = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="mixed_into")
    share = models.FloatField(help_text="of the rows, in percent")
    wanted = models.PositiveBigIntegerField(
        null=True, help_text="rows of the whole mix; none: as many as there can be"
    )
    splits = models.JSONField(default=dict, help_text="rows that it gave, by split")
    repeated = models.PositiveBigIntegerField(default=0, help_text="said by a part before it, too")
    held_back = models.PositiveBigIntegerField(
        default=0, help_text="kept for validation or test by another row that says it"
    )

    class Meta:
        verbose_name = "mixed version"
        constraints = [
            models.UniqueConstraint(fields=["version", "place"], name="versionpart_place_unique"),
            models.UniqueConstraint(fields=["version", "source"], name="versionpart_source_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.share:g} % {self.source_id}"

    @property
    def rows(self) -> int:
        return sum(self.splits.values())


class VersionRow(models.Model):
    """One line of a version's manifest.

    PostgreSQL would look for version and conversation of each line by itself, and lock them: half
    of the time that a million lines take. So whoever freezes looks at all of them at once, while
    nobody changes rows of the dataset, and a trigger refuses to delete what a line names.
    """

    version = models.ForeignKey(
        Version,
        on_delete=models.CASCADE,
        related_name="rows",
        db_constraint=False,
        db_index=False,  # versionrow_place_unique begins with it
    )
    position = models.PositiveBigIntegerField()
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="version_rows", db_constraint=False
    )
    revision = models.PositiveIntegerField()
    row_hash = models.CharField(max_length=64)
    split = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="versionrow_place_unique")
        ]
        indexes = [
            # reading one split in order
            models.Index(fields=["version", "split", "position"], name="versionrow_by_split")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.position}"
