"""Removes what a withdrawn upload left: its rows, and the conversations it brought."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from datasets_app.models import WITHDRAWN, Conversation, Decision, Status, Upload
from datasets_app.services.changes import begin_change
from datasets_app.services.receiving import part_path
from datasets_app.services.removal import remove_slice
from otto_web.lib.work.states import State


def remove_upload(upload_id: UUID | str) -> bool:
    """Remove a withdrawn upload; it may be called again at any point of its way.

    Conversations that a version holds stay, excluded, so that the version stays whole.
    """
    upload = Upload.objects.filter(pk=upload_id, state=State.CANCELLED, reason=WITHDRAWN).first()
    if upload is None:
        return False
    part_path(upload.pk).unlink(missing_ok=True)
    rows = Conversation.objects.filter(source_file__upload=upload)
    datasets = list(rows.order_by("dataset").values_list("dataset", flat=True).distinct())
    for dataset_id in datasets:
        while remove_slice(dataset_id, rows):
            pass
    with transaction.atomic(durable=True):
        for dataset_id in datasets:
            begin_change(dataset_id)
        rows.update(status=Status.EXCLUDED, decision=Decision.EXCLUDE)
        if upload.blob_id is not None:  # one that never arrived still answers 410 until it expires
            upload.delete()
    return True
