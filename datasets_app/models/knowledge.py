"""What a version's conversations tell, ready to be asked: the row, and questions to try it."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models

from datasets_app.models.encoder import Encoder
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.version import Version
from otto_web.lib.work.rows import Retry, Work

LONGEST_QUESTION = 5_000


def knowledge_store() -> Path:
    """Return the folder of all knowledge; each version has one in it."""
    return Path(settings.OTTO_DATA_DIR) / "knowledge"


class Knowledge(Work):
    """The known answers of a version in a folder; while it is built anew the last one stays.

    `path` names a folder that is whole, whatever the state says. The work goes on in `working`.
    """

    job = "datasets.build_knowledge"
    retry = Retry(
        message="Building knowledge was interrupted several times. Build it once more.",
        after_faults=True,
    )

    version = models.OneToOneField(
        Version, primary_key=True, on_delete=models.CASCADE, related_name="knowledge"
    )
    encoder = models.ForeignKey(
        Encoder,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="what the vectors were made with, or should have been",
    )
    path = models.CharField(max_length=300, default="", help_text="relative to the data folder")
    working = models.CharField(max_length=300, default="", help_text="relative to the data folder")
    total = models.PositiveBigIntegerField(default=0, help_text="rows of the version")
    done = models.PositiveBigIntegerField(default=0, help_text="rows that were read")
    facts = models.JSONField(default=dict, help_text="pieces, copies, encoder, figures by script")
    manifest_sha256 = models.CharField(max_length=64, default="")

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="knowledge_there_when_built",
                condition=~models.Q(state="succeeded") | ~models.Q(path=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Knowledge of {self.version_id}"

    @property
    def folder(self) -> Path | None:
        """Return where it lies; None until it was built once."""
        return Path(settings.OTTO_DATA_DIR) / self.path if self.path else None


class Lookup(Work):
    """A question that somebody tried on a version's knowledge, and what it would answer from."""

    job = "datasets.look_up"
    retry = Retry(most=2, message="Looking this up was interrupted twice. Ask once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    knowledge = models.ForeignKey(Knowledge, on_delete=models.CASCADE, related_name="lookups")
    question = models.TextField()
    results = models.JSONField(default=list, help_text="what was found, nearest first")
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            # the last questions of a page
            models.Index(fields=["knowledge", "-created_at"], name="lookup_by_time"),
        ]

    def __str__(self) -> str:
        return self.question[:60]
