"""Links by which people without an account read a run's report."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from training_app.models.run import Run


class ReportLinkQuerySet(models.QuerySet["ReportLink"]):
    """Links, as a page and a visitor look for them."""

    def open(self) -> Self:
        """Return the links that still open: in time, not taken back, of people who may still."""
        return self.filter(expires_at__gt=Now(), revoked_at=None, created_by__is_active=True)


class ReportLink(models.Model):
    """An order to show one report to whoever has the link; its address is signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="report_links")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    objects = ReportLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"report of {self.run_id} until {self.expires_at:%Y-%m-%d}"
