"""Removes what a withdrawn upload left: its rows, and the conversations it brought."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from datasets_app.models import (
    ActionRow,
    Conversation,
    ConversationRevision,
    Decision,
    Finding,
    Status,
    Upload,
    UploadState,
    VersionRow,
)
from datasets_app.services.uploads import part_path

SLICE = 2_000


def remove_upload(upload_id: UUID) -> bool:
    """Remove a withdrawn upload; it may be called again at any point of its way.

    Conversations that a version holds stay, excluded, so that the version stays whole.
    """
    upload = Upload.objects.filter(pk=upload_id, state=UploadState.WITHDRAWN).first()
    if upload is None:
        return False
    part_path(upload.pk).unlink(missing_ok=True)
    while _remove_slice(upload):
        pass
    with transaction.atomic(durable=True):
        kept = Conversation.objects.filter(source_file__upload=upload)
        kept.update(status=Status.EXCLUDED, decision=Decision.EXCLUDE)
        if upload.blob_id is not None:  # one that never arrived still answers 410 until it expires
            upload.delete()
    return True


@transaction.atomic(durable=True)
def _remove_slice(upload: Upload) -> int:
    in_version = VersionRow.objects.filter(conversation=OuterRef("pk"))
    gone = Conversation.objects.filter(~Exists(in_version), source_file__upload=upload)
    ids = list(gone.values_list("pk", flat=True)[:SLICE])
    if not ids:
        return 0
    for model in (Finding, ConversationRevision, ActionRow):
        model.objects.filter(conversation__in=ids).delete()
    with connection.cursor() as cursor:  # the ORM would load every row to look for others
        table = Conversation._meta.db_table
        cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s)", [ids])  # noqa: S608
    return len(ids)
