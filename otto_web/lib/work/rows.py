"""The row of a durable job: its state, who may write it now, and how often it is tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from otto_web.lib.work.states import OVER, UNDER_WAY, State

WITHOUT_END = 2**31 - 1  # more attempts than fit between two losses of a lifetime
INTERRUPTED_OFTEN = "Its worker ended several times before it was done. It is not tried again."


@dataclass(frozen=True, slots=True)
class Retry:
    """What becomes of work whose worker was lost: queued again, `most` times, then failed.

    The n-th loss in a row waits n times as long as doubling says; progress forgets losses.
    """

    most: int = 3
    longest_seconds: float = 300.0
    message: str = INTERRUPTED_OFTEN
    lost: State = State.QUEUED  # or the state in which a row ends at the first loss
    after_faults: bool = False  # whether an unexpected exception counts as a loss, or ends it

    def pause(self, attempts: int) -> timedelta:
        """Return how long the next attempt waits."""
        seconds = settings.OTTO_BACKOFF_SECONDS * 2 ** max(0, attempts - 1)
        return timedelta(seconds=min(seconds, self.longest_seconds))


class Fenced(models.Model):
    """A row that one process at a time may write: each claim raises the fence, each write names it.

    Of a process that was presumed dead and comes back, no write finds its row.
    """

    state = models.CharField(max_length=12, choices=State, default=State.QUEUED, editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    reason = models.CharField(
        max_length=60, default="", blank=True, editable=False, help_text="a code, for filters"
    )
    message = models.TextField(
        default="", blank=True, editable=False, help_text="a sentence for a person"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="%(class)ss",
    )
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_state_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="%(class)s_finished_iff_over",
                condition=Q(state__in=OVER, finished_at__isnull=False)
                | (~Q(state__in=OVER) & Q(finished_at__isnull=True)),
            ),
        ]
        indexes = [
            # what waits
            models.Index(fields=["queued_at"], condition=Q(state="queued"), name="%(class)s_waits")
        ]

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY


class Work(Fenced):
    """A durable job: whoever claims the row has it for a lease, and keeps it by renewing that.

    A kind names its job in `otto_web.jobs`, and how often it is tried. One without a job is looked
    after by whoever does it.
    """

    job: ClassVar[str] = ""
    retry: ClassVar[Retry] = Retry()
    turn: ClassVar[tuple[str, ...]] = ("queued_at",)  # the order in which the reaper hints

    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta(Fenced.Meta):
        abstract = True
        constraints = [
            *Fenced.Meta.constraints,
            models.CheckConstraint(
                name="%(class)s_leased_iff_running",
                condition=Q(state="running", lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until__isnull=True)),
            ),
        ]
        indexes = [
            *Fenced.Meta.indexes,
            # whose lease ended
            models.Index(
                fields=["lease_until"], condition=Q(state="running"), name="%(class)s_leases"
            ),
        ]

    @classmethod
    def lease_seconds(cls) -> float:
        seconds: float = settings.OTTO_LEASE_SECONDS
        return seconds


def kinds() -> list[type[Work]]:
    """Return all kinds that workers do, leftmost app first."""
    return [kind for kind in apps.get_models() if issubclass(kind, Work) and kind.job]


def waiting() -> Q:
    """Return the condition that a row may be claimed now."""
    return Q(state=State.QUEUED) & (Q(not_before=None) | Q(not_before__lte=Now()))
