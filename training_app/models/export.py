"""Models written for other programs."""

from __future__ import annotations

from django.db import models

from otto_web.lib.work.rows import Work
from training_app.models.paths import EXPORTS
from training_app.models.trained_model import TrainedModel


class Export(Work):
    """A model in another program's format, offered only after its numbers agreed with torch's."""

    job = "training.build_export"

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=20)
    precision = models.CharField(max_length=20, default="fp32")
    opset = models.PositiveSmallIntegerField(null=True)  # of a graph
    path = models.CharField(max_length=300, default="")
    sha256 = models.CharField(max_length=64, default="")
    parity_max = models.FloatField(null=True)
    figures = models.JSONField(default=dict)

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(
                fields=["model", "format", "precision"], name="export_one_per_format"
            ),
        ]

    @property
    def folder(self) -> str:
        """Return the place that only the attempt with this fence writes to."""
        return f"{EXPORTS}/{self.model_id}/{self.format}-f{self.fence}"

    def __str__(self) -> str:
        return f"{self.model_id} as {self.format}"
