"""Models written for other programs."""

from __future__ import annotations

from django.db import models

from training_app.models.trained_model import TrainedModel


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class Export(models.Model):
    """A model in another program's format, offered only after its numbers agreed with torch's."""

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=20)
    precision = models.CharField(max_length=20, default="fp32")
    path = models.CharField(max_length=300, default="")
    sha256 = models.CharField(max_length=64, default="")
    parity_max = models.FloatField(null=True)
    figures = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    reason = models.TextField(default="")
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "format", "precision"], name="export_one_per_format"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_id} as {self.format}"
