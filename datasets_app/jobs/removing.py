"""Removes what a person deleted: a dataset's rows, or an upload and the rows that it brought.

The texts of its documents go with it, and all that was made of them but rows.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from datasets_app.models import Conversation, Decision, Removal, Status
from datasets_app.services import removal
from datasets_app.services.changes import begin_change
from datasets_app.services.receiving import part_path
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import finish, give_back, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform

TURN_SLICES = 25


def remove_rows(removal_id: int | str) -> None:
    """Remove for a while, then let others have the worker; harmless when nothing is ordered."""
    perform(Removal, removal_id, _remove, refusals=())


def _remove(order: Removal, lease: Lease) -> None:
    for _ in range(TURN_SLICES):
        lease.touch()
        if not remove_slice(order):
            _end(order)
            return
    with transaction.atomic(durable=True):
        give_back(order)
        hint(Removal.job, order.pk)


@transaction.atomic(durable=True)
def remove_slice(order: Removal) -> int:
    """Look at the next rows, then at texts, and say so in the order; 0 when nothing is left."""
    renew(order, attempts=0)
    seen = _slice_of_dataset(order) if order.upload_id is None else _slice_of_upload(order)
    failpoint("removals.mid_slice")
    renew(order, done=order.done + seen)
    return seen or removal.remove_texts(dataset=order.dataset_id, upload=order.upload_id)


def _slice_of_dataset(order: Removal) -> int:
    """Remove the rows behind the last one seen; what a version holds stays for its models."""
    begin_change(str(order.dataset_id), is_told=True)
    rows = Conversation.objects.filter(dataset=order.dataset_id)
    found = removal.next_slice(rows, after=order.cursor)
    removal.remove_or_keep([*found])
    renew(order, cursor=max(found.values(), default=order.cursor))
    return len(found)


def _slice_of_upload(order: Removal) -> int:
    """Remove some rows that came from the upload; what a version holds stays, excluded."""
    rows = Conversation.objects.filter(source_file__upload=order.upload_id)
    dataset_ids = list(rows.values_list("dataset", flat=True)[:1])
    if not dataset_ids:
        return 0
    begin_change(dataset_ids[0], is_told=True)
    rows = rows.filter(dataset=dataset_ids[0])
    found = removal.next_slice(rows, after=order.cursor) or removal.next_slice(rows, after=0)
    excluded: dict[str, Any] = {"status": Status.EXCLUDED, "decision": Decision.EXCLUDE}
    removal.remove_or_keep([*found], source_file=None, **excluded)
    renew(order, cursor=max(found.values(), default=0))
    return len(found)


@transaction.atomic(durable=True)
def _end(order: Removal) -> None:
    finish(order)
    upload = order.upload
    if upload is None:
        return
    part_path(upload.pk).unlink(missing_ok=True)
    if upload.blob_id is not None:  # one that never arrived still answers 410 until it expires
        upload.delete()
