"""What a run leaves on its way: points, samples, checkpoints."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from training_app.models.run import Run


class RunPoint(models.Model):
    """One number of a curve."""

    pk = models.CompositePrimaryKey("run_id", "name", "step")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="points")
    name = models.CharField(max_length=30)
    step = models.PositiveBigIntegerField()
    value = models.FloatField()
    seq = models.PositiveBigIntegerField()
    fence = models.PositiveBigIntegerField()

    class Meta:
        # a socket's catch-up from its last sequence number
        indexes = [models.Index(fields=["run", "seq"], name="runpoint_by_seq")]

    def __str__(self) -> str:
        return f"{self.name}[{self.step}] = {self.value}"


class RunSample(models.Model):
    """What the model wrote to a fixed prompt at one evaluation."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="samples")
    step = models.PositiveBigIntegerField()
    prompt_no = models.PositiveIntegerField()
    prompt = models.TextField()
    reply = models.TextField()
    reference = models.TextField()
    seq = models.PositiveBigIntegerField()
    fence = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "prompt_no"], name="runsample_place_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} sample {self.prompt_no} at {self.step}"


class Checkpoint(models.Model):
    """A durable state of a run; the row names the folder, a folder without a row is nothing."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.PositiveBigIntegerField()
    fence = models.PositiveBigIntegerField()
    path = models.CharField(max_length=300)
    manifest_sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    validation_loss = models.FloatField(null=True)
    is_best = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "fence"], name="checkpoint_unique"),
            models.UniqueConstraint(
                fields=["run"], condition=Q(is_best=True), name="checkpoint_one_best"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} step {self.step}"
