"""Runs: the order, who works on it, and what happened to it."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Fenced, waiting
from otto_web.lib.work.states import OVER, UNDER_WAY, State
from training_app.models.uses import NeedsModels

RUN_STATES = (State.QUEUED, State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLED)


class CancelVerb(models.TextChoices):
    KEEP = "keep", "stop and keep"
    DISCARD = "discard", "cancel and discard"


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, as people and workers look for them."""

    def visible_to(self, user: User) -> RunQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()

    def claimable(self) -> RunQuerySet:
        """Return the queued runs that may start now, best first."""
        return self.filter(waiting()).wanted().in_turn()

    def wanted(self) -> RunQuerySet:
        """Return the runs that a trainer still has work for, those to be kept included."""
        return self.filter(Q(cancel_requested_at=None) | Q(cancel_verb=CancelVerb.KEEP))

    def in_turn(self) -> RunQuerySet:
        """Return the runs in the order in which they start: fair between people."""
        hers = Run.objects.filter(state=State.RUNNING, created_by=OuterRef("created_by"))
        busy = hers.values("created_by").annotate(count=Count("pk")).values("count")
        counted = self.annotate(owner_running=Coalesce(Subquery(busy), Value(0)))
        return counted.order_by("owner_running", "created_at")

    def newest_first(self) -> RunQuerySet:
        """Return the runs for a list: going ones first, then the newest."""
        going = Case(When(state__in=OVER, then=Value(1)), default=Value(0))
        return self.order_by(going, F("created_at").desc())


class Run(NeedsModels, Fenced):
    """One training job; its committed row is the order to do it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="runs")
    spec = models.JSONField(editable=False)
    spec_sha256 = models.CharField(max_length=64, editable=False)
    decided = models.JSONField(
        default=dict, editable=False, help_text="measured once: steps, precision, compile, threads"
    )
    forced_reason = models.TextField(default="", help_text="why a poor version was trained anyway")
    phase = models.CharField(max_length=30, default="", editable=False)
    no_progress_deaths = models.PositiveIntegerField(default=0, editable=False)
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
    objects = RunQuerySet.as_manager()

    class Meta(Fenced.Meta):
        constraints = [
            *Fenced.Meta.constraints,
            models.UniqueConstraint(fields=["created_by", "idem_key"], name="run_idem_unique"),
        ]
        indexes = [
            # the claim: the best queued run
            models.Index(fields=["created_at"], condition=Q(state="queued"), name="run_queue")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_model(self) -> bool:
        """Return whether it left a model that is there: ended well, or stopped and kept."""
        return hasattr(self, "model") and self.model.is_ready

    @property
    def can_keep(self) -> bool:
        """Return whether it learned something that a model can be made of."""
        return self.checkpoints.exists()

    @property
    def is_to_be_kept(self) -> bool:
        """Return whether somebody stopped it and wants the model of what it learned."""
        return self.cancel_verb == CancelVerb.KEEP and self.can_keep

    @classmethod
    def uses_of(cls, model_id: UUID) -> list[str]:
        begun = cls.objects.filter(start_model=model_id, state__in=UNDER_WAY).order_by("created_at")
        return [f"the run “{name}” begins with it" for name in begun.values_list("name", flat=True)]


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

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempt_rows")
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
