"""Imports one upload: bytes to a blob, the blob to files, files to conversations."""

from __future__ import annotations

from uuid import UUID

from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.jobs.limits import Stopwatch
from datasets_app.jobs.reading import ReadingJob, read_source, stop_file
from datasets_app.jobs.together import read_small
from datasets_app.models import Conversation, FileState, Purpose, SourceFile, Upload
from datasets_app.models.blob import blob_path
from datasets_app.services import imports
from datasets_app.services.blobs import hash_file, move_into_store
from datasets_app.services.receiving import part_path
from otto_web.lib.statistics import renew_statistics
from otto_web.lib.work.claims import WORKER_LOST
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.states import State

STALLED_SECONDS = 300.0


def import_upload(upload_id: UUID | str) -> bool:
    """Import an upload unless another worker has it; a call too many does nothing.

    A worker may die anywhere: the next call goes on behind the last batch that was committed.
    """
    return perform(
        Upload,
        upload_id,
        _import,
        refusals=(),
        stalled_seconds=STALLED_SECONDS,
        take=imports.claim_import,
    )


def _import(upload: Upload, lease: Lease) -> None:
    work = ReadingJob(upload, lease.touch, Stopwatch(lease.touch))
    was_lost = upload.attempts > 1  # then each file is read alone, so that the right one is blamed
    if upload.attempts == Upload.retry.most and not _give_up_file(work):
        imports.end_import(upload, State.FAILED, reason=WORKER_LOST)
        return
    if upload.blob is None and not _take_bytes(work):
        return
    if upload.purpose == Purpose.MODEL:
        imports.end_import(upload)
        return
    is_first_look = not upload.is_again and not upload.files.exists()
    if is_first_look and (original := imports.earlier_upload(upload)):
        imports.end_as_duplicate(upload, original)
        return
    if upload.blob is not None:
        imports.open_root(upload, upload.blob)
    is_over = False
    while not is_over:
        while file := _next_file(upload):
            if not was_lost and read_small(work):
                continue
            read_source(work, file)
            has_grown = file.kind in FORMATS and FORMATS[file.kind].archive is not None
            if has_grown and imports.give_way(upload):
                return
        is_over = _end(upload)
    renew_statistics(Conversation)


def _give_up_file(work: ReadingJob) -> bool:
    """End the file at which worker after worker was lost, so that the others are read."""
    file = _next_file(work.upload)
    if file is None:
        return False
    imports.offer_members(work.upload, file)  # an archive's, as far as they were whole
    stop_file(work, file, reason=WORKER_LOST)
    return True


def _take_bytes(work: ReadingJob) -> bool:
    """Move the received bytes into the store; False when they are not what was announced."""
    upload = work.upload
    bytes_path = part_path(upload.pk)
    if not bytes_path.exists() and upload.seen_sha256:  # moved by an attempt that died then
        bytes_path = blob_path(upload.seen_sha256)
    if not bytes_path.exists():
        imports.end_import(upload, State.FAILED, reason="bytes_lost")
        return False
    sha256 = hash_file(bytes_path, work.touch)
    if upload.claimed_sha256 and upload.claimed_sha256 != sha256:
        part_path(upload.pk).unlink(missing_ok=True)
        imports.end_import(upload, State.FAILED, reason="wrong_sha256")
        return False
    imports.note_sha256(upload, sha256)
    imports.take_blob(upload, lambda: move_into_store({sha256: bytes_path})[sha256])
    return True


def _next_file(upload: Upload) -> SourceFile | None:
    return upload.files.to_read().select_related("blob", "parent").first()


def _end(upload: Upload) -> bool:
    """End the upload unless there is more to read.

    It fails only when its one file, or its archive, could not be read at all.
    """
    root = upload.files.get(parent=None)
    if (
        root.verdict == FileState.FAILED
        and not upload.files.filter(verdict=FileState.LOADED).exists()
    ):
        return imports.end_reading(upload, State.FAILED, reason=root.reason, message=root.note)
    return imports.end_reading(upload)
