"""The order to remove what a person deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from datasets_app.models.dataset import Dataset
from datasets_app.models.upload import Upload
from otto_web.lib.work.rows import WITHOUT_END, Retry, Work


class Removal(Work):
    """The rows of a deleted dataset, or of an upload that was taken back, go in slices.

    It is tried until it is done: what it removes stands on no page any more from which a person
    could order that again.
    """

    job = "datasets.remove_rows"
    retry = Retry(most=WITHOUT_END, after_faults=True)

    dataset = models.OneToOneField(
        Dataset, null=True, on_delete=models.CASCADE, related_name="removal"
    )
    upload = models.OneToOneField(
        Upload, null=True, on_delete=models.CASCADE, related_name="removal"
    )
    cursor = models.PositiveBigIntegerField(default=0, help_text="position of the last row seen")
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0, help_text="rows removed, or left to a version")

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                name="removal_of_one_thing",
                condition=Q(dataset__isnull=True, upload__isnull=False)
                | Q(dataset__isnull=False, upload__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.done} of {self.total}"

    @property
    def name(self) -> str:
        """Return what the deleted thing was called."""
        return str(self.dataset or self.upload)
