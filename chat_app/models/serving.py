"""Serving graphs of models, with the result of their parity check."""

from __future__ import annotations

from django.db import models

from otto_web.lib.work.rows import Work
from training_app.models import TrainedModel

EXACT, QUICK = "fp32", "row-int8"  # torch's numbers, or those of 8-bit weights


class ServingExport(Work):
    """A model as the engine runs it: shown equal to torch on this installation.

    `precision` is what was ordered until it is over, then what its file holds: where 8-bit weights
    do not answer alike, what comes of the order is full precision.
    """

    job = "chat.build_serving_export"

    model = models.ForeignKey(
        TrainedModel, on_delete=models.CASCADE, related_name="serving_exports"
    )
    precision = models.CharField(max_length=20, default=EXACT)
    path = models.CharField(max_length=300, default="")
    sha256 = models.CharField(max_length=64, default="")
    onnxruntime = models.CharField(max_length=40, default="")
    cpu = models.CharField(max_length=200, default="")
    parity_max = models.FloatField(null=True)
    figures = models.JSONField(default=dict, blank=True)
    calibration = models.JSONField(default=dict)

    class Meta(Work.Meta):
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(
                fields=["model", "precision"], name="servingexport_one_per_precision"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.precision}"
