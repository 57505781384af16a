"""Notifications of the data rooms: whoever hears one reads the rows again."""

from __future__ import annotations

import time
from uuid import UUID

from otto_web.lib import live

FASTEST_SECONDS = 0.25
_notified_at: dict[UUID, float] = {}


def upload_group(upload_id: UUID) -> str:
    return f"upload-{upload_id}"


def notify_upload(upload_id: UUID) -> None:
    """Say that an upload moved."""
    _notified_at.pop(upload_id, None)
    live.notify(upload_group(upload_id), "upload.changed", id=str(upload_id))


def notify_upload_progress(upload_id: UUID) -> None:
    """Say that an upload moves on, at most four times a second."""
    now = time.monotonic()
    if now - _notified_at.get(upload_id, 0.0) < FASTEST_SECONDS:
        return
    _notified_at[upload_id] = now
    live.notify(upload_group(upload_id), "upload.changed", id=str(upload_id))
