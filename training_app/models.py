"""Rows of the training rooms: runs and what they leave, models, evaluations, exports."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role


class ModelQuerySet(models.QuerySet["TrainedModel"]):
    """Models that every trainer of the installation may see; deleted ones are tombstones."""

    def visible_to(self, user: User) -> ModelQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()

    def ready(self) -> ModelQuerySet:
        return self.filter(state=ModelState.READY)


class Tokenizer(models.Model):
    """A tokenizer trained on a version; its folder never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, default="bpe")
    vocab_size = models.PositiveIntegerField()
    stats = models.JSONField(default=dict)
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="tokenizers")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.vocab_size}"


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class CancelVerb(models.TextChoices):
    KEEP = "keep", "stop and keep"
    DISCARD = "discard", "cancel and discard"


class RunQuerySet(models.QuerySet["Run"]):
    """The state machine of a run: every move is one conditional update that says won or lost."""

    def visible_to(self, user: User) -> RunQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()

    def move(self, run_id: UUID, *, fence: int, old: str, new: str, **columns: Any) -> bool:
        """Make one step of the state machine; False when this attempt no longer owns the run."""
        finished_at = Now() if new in TERMINAL else None
        owned = self.filter(pk=run_id, fence=fence, state=old)
        return owned.update(state=new, finished_at=finished_at, **columns) == 1

    def claimable(self) -> RunQuerySet:
        """Return the queued runs that may start now, best first: fair between people."""
        hers = Run.objects.filter(state=RunState.RUNNING, created_by=OuterRef("created_by"))
        busy = hers.values("created_by").annotate(count=Count("pk")).values("count")
        waits = Q(state=RunState.QUEUED, cancel_requested_at=None, not_before__lte=Now())
        counted = self.filter(waits).annotate(owner_running=Coalesce(Subquery(busy), Value(0)))
        return counted.order_by("priority", "owner_running", "created_at")

    def newest_first(self) -> RunQuerySet:
        """Return the runs for a list: going ones first, then the newest."""
        going = Case(When(state__in=TERMINAL, then=Value(1)), default=Value(0))
        return self.order_by(going, F("created_at").desc())


class Run(models.Model):
    """One training job; its committed row is the order to do it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="runs")
    spec = models.JSONField(editable=False)
    spec_sha256 = models.CharField(max_length=64, editable=False)
    decided = models.JSONField(
        default=dict, editable=False, help_text="measured once: steps, precision, compile, threads"
    )
    forced_reason = models.TextField(default="", help_text="why a poor version was trained anyway")
    state = models.CharField(
        max_length=10, choices=RunState, default=RunState.QUEUED, editable=False
    )
    reason = models.CharField(max_length=30, default="", editable=False)
    message = models.TextField(default="", editable=False)
    phase = models.CharField(max_length=30, default="", editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    attempt = models.PositiveIntegerField(default=0, editable=False)
    no_progress_deaths = models.PositiveIntegerField(default=0, editable=False)
    priority = models.SmallIntegerField(default=0)
    not_before = models.DateTimeField(auto_now_add=True)
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    cancel_verb = models.CharField(max_length=10, choices=CancelVerb, default="")
    parent_run = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children"
    )
    start_model = models.ForeignKey(
        "TrainedModel", null=True, on_delete=models.PROTECT, related_name="continued_by"
    )
    start_checkpoint = models.ForeignKey(
        "Checkpoint", null=True, on_delete=models.PROTECT, related_name="continued_by"
    )
    last_step = models.PositiveBigIntegerField(default=0, editable=False)
    total_steps = models.PositiveBigIntegerField(default=0, editable=False)
    seq = models.PositiveBigIntegerField(default=0, editable=False)
    idem_key = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["created_by", "idem_key"], name="run_idem_unique"),
            models.CheckConstraint(name="run_state_known", condition=Q(state__in=RunState.values)),
            models.CheckConstraint(
                name="run_finished_iff_terminal",
                condition=Q(state__in=TERMINAL, finished_at__isnull=False)
                | (~Q(state__in=TERMINAL) & Q(finished_at__isnull=True)),
            ),
        ]
        indexes = [
            # the claim: the best queued run
            models.Index(
                fields=["priority", "created_at"],
                condition=Q(state="queued"),
                name="run_queue",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL


class RunLease(models.Model):
    """Who owns a run until when; a small table, so that heartbeats stay cheap."""

    run = models.OneToOneField(
        Run, primary_key=True, on_delete=models.CASCADE, related_name="lease"
    )
    fence = models.PositiveBigIntegerField()
    worker = models.CharField(max_length=300)
    expires_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    progress_at = models.DateTimeField()
    progress_step = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.run_id} fence {self.fence}"


class RunAttempt(models.Model):
    """One claim of a run by one worker."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    fence = models.PositiveBigIntegerField()
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    pid_started_at = models.FloatField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    exit_reason = models.CharField(max_length=60, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "fence"], name="attempt_fence_unique"),
            models.UniqueConstraint(
                fields=["run"], condition=Q(ended_at=None), name="attempt_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} attempt with fence {self.fence}"


class RunEvent(models.Model):
    """One step in a run's life; rows are only ever added."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150, default="")
    kind = models.CharField(max_length=30)
    from_state = models.CharField(max_length=10, default="")
    to_state = models.CharField(max_length=10, default="")
    detail = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="runevent_seq_unique")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind}"


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
    val_loss = models.FloatField(null=True)
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


class ModelState(models.TextChoices):
    READY = "ready"
    DELETED = "deleted"


class TrainedModel(models.Model):
    """A model that a run left (or somebody imported): a folder that never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    talks = models.BooleanField(default=True, help_text="false when trained on passages only")
    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="model")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children"
    )
    tokenizer = models.ForeignKey(
        Tokenizer, null=True, on_delete=models.PROTECT, related_name="models"
    )
    family = models.CharField(max_length=20)
    params = models.PositiveBigIntegerField()
    context = models.PositiveIntegerField()
    path = models.CharField(max_length=300, help_text="relative to the data folder")
    manifest_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=ModelState, default=ModelState.READY)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = ModelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="model_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class Evaluation(models.Model):
    """How good a model is on one side of a version."""

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="evaluations")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="evaluations")
    side = models.CharField(max_length=10)
    tokens = models.PositiveBigIntegerField()
    bytes = models.PositiveBigIntegerField()
    loss = models.FloatField()
    answer_loss = models.FloatField(null=True)
    perplexity = models.FloatField()
    bits_per_byte = models.FloatField()
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.model_id} on {self.side}: {self.bits_per_byte:.3f}"


class EvalSample(models.Model):
    """A held-out question with the model's reply beside the real answer."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="samples")
    prompt_no = models.PositiveIntegerField()
    prompt = models.TextField()
    reply = models.TextField()
    reference = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "prompt_no"], name="evalsample_place_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id} sample {self.prompt_no}"


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
