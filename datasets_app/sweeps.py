"""What the reaper looks after for the data rooms."""

from __future__ import annotations

import shutil
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from datasets_app.knowledge.layout import EDITION
from datasets_app.models import EXPIRED, Encoder, EncoderState, Knowledge, Replacement, Upload
from datasets_app.services import blobs, knowledge, repeats, tallies
from datasets_app.services.receiving import LIFE, part_path
from otto_web.lib.patience import each_by_itself
from otto_web.lib.work.claims import cancel
from otto_web.lib.work.states import OVER, State

UNNAMED_FOR = timedelta(hours=1)
LOOKED_FOR = timedelta(days=1)
LONGEST_UNPACKING = timedelta(days=1)
ORPHANS_EVERY_SECONDS = 3600.0
AT_ONCE = 100
_orphans_looked_at = float("-inf")


def expire_uploads(now: datetime) -> None:
    """End uploads whose last piece came seven days ago; later forget those that never arrived."""
    old = Upload.objects.filter(state=State.RECEIVING, expires_at__lt=now)
    with transaction.atomic():
        free = old.select_for_update(skip_locked=True)
        gone = list(free.values_list("pk", flat=True)[:AT_ONCE])
        cancel(old.filter(pk__in=gone), EXPIRED, finished_at=now)
    for pk in gone:
        part_path(pk).unlink(missing_ok=True)
    never_arrived = Upload.objects.filter(state=State.CANCELLED, blob=None)
    never_arrived.filter(finished_at__lt=now - LIFE).delete()


def remove_unnamed_blobs(now: datetime) -> None:
    """Free the bytes that nothing names any more."""
    before = now - UNNAMED_FOR
    each_by_itself(blobs.unnamed_blobs(before), lambda pk: blobs.drop_unnamed(pk, before))


def remove_orphans(now: datetime) -> None:
    """Remove files without a row, which a crash leaves, and its work folders; hourly."""
    global _orphans_looked_at  # noqa: PLW0603 - the reaper is one process
    if time.monotonic() - _orphans_looked_at < ORPHANS_EVERY_SECONDS:
        return
    _orphans_looked_at = time.monotonic()
    knowledge.remove_unnamed_folders(now - UNNAMED_FOR)
    repeats.remove_unnamed_indexes(now - UNNAMED_FOR)
    for path in blobs.orphan_files(now - UNNAMED_FOR):
        path.unlink(missing_ok=True)
    for folder in blobs.work_path().iterdir():
        if folder.stat().st_mtime < (now - LONGEST_UNPACKING).timestamp():
            shutil.rmtree(folder, ignore_errors=True)


def build_better_knowledge(now: datetime) -> None:
    """Build anew what has no encoder to be asked with, once there is one, and what is dated."""
    without = Q(encoder=None) | Q(encoder__state=EncoderState.DELETED)
    dated = Q(facts__edition__isnull=True) | Q(facts__edition__lt=EDITION)
    wanted = dated | without if Encoder.objects.current() else dated
    built = Knowledge.objects.filter(wanted, state=State.SUCCEEDED).select_related("version")
    for row in built[:AT_ONCE]:
        knowledge.order_knowledge(row.version, by=None)


def forget_looks(now: datetime) -> None:
    """Forget what was looked for a day ago and never replaced."""
    looked = Replacement.objects.filter(action=None, state__in=OVER)
    gone = looked.filter(finished_at__lt=now - LOOKED_FOR).order_by("pk")
    Replacement.objects.filter(pk__in=list(gone.values_list("pk", flat=True)[:AT_ONCE])).delete()


def count_large_datasets(now: datetime) -> None:
    """Count large datasets anew whose tally missed a change."""
    tallies.count_behind()


SWEEPS = (
    expire_uploads,
    remove_unnamed_blobs,
    remove_orphans,
    build_better_knowledge,
    forget_looks,
    count_large_datasets,
)
