"""What a person does with an upload that is there: load it again, try again, take it back.

`by` is None where a management command speaks for nobody in particular.
"""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.models import FileState, Issue, Purpose, Upload
from datasets_app.models.upload import WITHDRAWN
from datasets_app.services.imports import NO_BYTES, NO_COUNTS
from datasets_app.services.receiving import chosen_dataset, part_path
from datasets_app.services.removal import order_removal
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, order_anew
from otto_web.lib.work.states import State

log = logging.getLogger(__name__)
DOCUMENTS = [kind for kind, found in FORMATS.items() if found.document]


@transaction.atomic(durable=True)
def load_again(upload: Upload, dataset: str, *, by: User | None) -> bool:
    """Read an upload's bytes although they are known; False when it is not asking that."""
    chosen, name = chosen_dataset(dataset, by)
    asking = Upload.objects.filter(pk=upload.pk, state=State.SUCCEEDED, files=None)
    changed = order_anew(
        asking.exclude(blob=None), is_again=True, dataset=chosen, dataset_name=name
    )
    if changed:
        audit.record(by, "upload.load_again", upload)
        hint(Upload.job, upload.pk)
    return bool(changed)


@transaction.atomic(durable=True)
def retry_upload(upload: Upload, *, by: User | None) -> bool:
    """Read on where a file broke off, and what failed anew; False when there is no such file."""
    broken = upload.files.broken_off()
    failed = Upload.objects.filter(pk=upload.pk, state=State.FAILED)
    partly = Upload.objects.filter(pk__in=broken.values("upload"), state=State.SUCCEEDED)
    changed = order_anew(failed | partly)
    if changed:
        audit.record(by, "upload.retry", upload)
        _forget_failures(upload)
        hint(Upload.job, upload.pk)
    return bool(changed)


def _forget_failures(upload: Upload) -> None:
    """Queue failed files: those that gave something from where they broke off."""
    again = {"verdict": FileState.QUEUED, "reason": "", "note": "", "finished_at": None}
    begun = upload.files.broken_off().filter(n_records__gt=0)
    begun.filter(kind__in=DOCUMENTS).update(**NO_BYTES)  # they failed as a whole
    begun.update(**again)
    failed = upload.files.filter(verdict=FileState.FAILED).exclude(blob=None)
    Issue.objects.filter(source_file__in=failed).delete()
    failed.update(**again, **NO_COUNTS)


@transaction.atomic(durable=True)
def withdraw_upload(upload: Upload, *, by: User | None) -> None:
    """Take an upload back: it is gone at once, and a worker removes what it left.

    The fence goes up, so a worker that is reading it writes nothing more.
    """
    there = Upload.objects.exclude(state=State.CANCELLED, reason=WITHDRAWN)
    if not cancel(there.filter(pk=upload.pk), WITHDRAWN):
        return
    audit.record(by, "upload.delete", upload, before={"name": upload.name, "size": upload.size})
    transaction.on_commit(partial(_drop_part, upload.pk))
    if upload.purpose == Purpose.DATA:  # nothing was loaded of a model
        order_removal(upload=upload, by=by)


def _drop_part(upload_id: UUID) -> None:
    try:
        part_path(upload_id).unlink(missing_ok=True)
    except OSError:
        log.exception("the part file of upload %s could not be removed", upload_id)
