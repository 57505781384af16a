"""Rows that everybody needs: the audit trail, API tokens, process beats, profiles."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from otto_web.lib.access import Role, has_role

MISSED_BEATS = 4  # from which on a process counts as gone


class AuditEntry(models.Model):
    """One change that somebody made; rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        indexes = [
            # the history of one object
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_by_object")
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """A token is its person's; admins see all, without the text that nobody keeps."""

    def visible_to(self, user: User) -> Self:
        if has_role(user, Role.ADMIN):
            return self
        return self.filter(user=user) if has_role(user, Role.MEMBER) else self.none()

    def working(self) -> Self:
        """Leave out those that were revoked or have come to their end."""
        is_alive = Q(expires_at=None) | Q(expires_at__gt=Now())
        return self.filter(is_alive, revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """A key for programs; only its hash is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=100), default=list)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True)
    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        if self.revoked_at is not None:
            return "revoked"
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return "expired" if is_over else "active"


class ProcessKind(models.TextChoices):
    WEB = "web"
    SHORT = "short"
    TRAIN = "train"
    ENGINE = "engine"
    REAPER = "reaper"


class ProcessState(models.TextChoices):
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"


class ProcessBeatQuerySet(models.QuerySet["ProcessBeat"]):
    """Processes, as pages and commands look for them."""

    def alive(self) -> Self:
        """Leave out those that have not reported themselves lately."""
        limit = timedelta(seconds=MISSED_BEATS * settings.OTTO_PROCESS_BEAT_SECONDS)
        return self.filter(seen_at__gt=Now() - limit)


class ProcessBeat(models.Model):
    """One running process of the installation, as it last reported itself."""

    kind = models.CharField(max_length=10, choices=ProcessKind)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    pid_started_at = models.FloatField()
    device = models.CharField(max_length=100, default="cpu")
    state = models.CharField(max_length=10, choices=ProcessState, default=ProcessState.IDLE)
    doing = models.CharField(max_length=200, default="")
    drain = models.BooleanField(default=False)
    seen_at = models.DateTimeField()
    objects = ProcessBeatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["host", "pid", "pid_started_at"], name="processbeat_one_per_process"
            ),
            models.CheckConstraint(
                name="processbeat_kind_known", condition=Q(kind__in=ProcessKind.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.pid}"


class Theme(models.TextChoices):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Profile(models.Model):
    """How one person wants the pages to look, and how often their access was ended."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="profile",
    )
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    zone = models.CharField(max_length=60, default="", blank=True)
    is_compact = models.BooleanField(default=True)
    keys_on = models.BooleanField(default=True)
    times_ended = models.PositiveIntegerField(default=0)  # a link holds until this is raised

    def __str__(self) -> str:
        return f"profile of {self.user_id}"
