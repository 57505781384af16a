"""Writes the audit trail; call it inside the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from otto_web.lib.http import request_id_now
from otto_web.lib.models import AuditEntry


def record(
    actor: User | None,
    verb: str,
    target: Model,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one audit row about `target`; one without a number stands for all of its kind."""
    AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        object_type=target._meta.model_name or "",
        object_id="" if target.pk is None else str(target.pk),
        before=before,
        after=after,
        request_id=request_id_now.get(),
    )
