"""What the reaper looks after for the data rooms."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from datasets_app import blobs, tasks
from datasets_app.models import Upload, UploadState
from datasets_app.services.uploads import LIFE, part_path

UNNAMED_FOR = timedelta(hours=1)
ORPHANS_EVERY_SECONDS = 3600.0
AT_ONCE = 100
_orphans_looked_at = float("-inf")


def hint_imports() -> int:
    """Wake workers for uploads that wait, and for those whose worker has died."""
    waiting = Upload.objects.claimable().order_by("created_at").values_list("pk", flat=True)
    found = list(waiting[:AT_ONCE])
    for pk in found:
        tasks.import_upload_task.delay(str(pk))
    return len(found)


def hint_removals() -> int:
    """Wake workers for withdrawn uploads whose rows are still there."""
    left = Upload.objects.filter(state=UploadState.WITHDRAWN).exclude(blob=None)
    found = list(left.values_list("pk", flat=True)[:AT_ONCE])
    for pk in found:
        tasks.remove_upload_task.delay(str(pk))
    return len(found)


def expire_uploads() -> int:
    """End uploads whose last piece came seven days ago; later forget those that never arrived."""
    now = timezone.now()
    old = Upload.objects.filter(state=UploadState.RECEIVING, expires_at__lt=now)
    gone = list(old.values_list("pk", flat=True)[:AT_ONCE])
    expired = old.filter(pk__in=gone).update(state=UploadState.EXPIRED, finished_at=now)
    for pk in gone:
        part_path(pk).unlink(missing_ok=True)
    never_arrived = [UploadState.EXPIRED, UploadState.WITHDRAWN]
    Upload.objects.filter(state__in=never_arrived, blob=None, finished_at__lt=now - LIFE).delete()
    return expired


def remove_unnamed_blobs() -> int:
    """Free the bytes that nothing names any more."""
    before = timezone.now() - UNNAMED_FOR
    removed = sum(blobs.drop_unnamed(pk, before) for pk in blobs.unnamed_blobs(before))
    return removed + _remove_orphans()


def _remove_orphans() -> int:
    """Remove files without a row, which a crash between rename and commit leaves; hourly."""
    global _orphans_looked_at  # noqa: PLW0603 - the reaper is one process
    if time.monotonic() - _orphans_looked_at < ORPHANS_EVERY_SECONDS:
        return 0
    _orphans_looked_at = time.monotonic()
    orphans = blobs.orphan_files(timezone.now() - UNNAMED_FOR)
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


SWEEPS: list[Callable[[], int]] = [
    hint_imports,
    hint_removals,
    expire_uploads,
    remove_unnamed_blobs,
]
