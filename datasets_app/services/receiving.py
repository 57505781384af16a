"""Uploads on their way in: opened, filled piece by piece, handed to a worker at the last byte.

`by` is None where a management command speaks for nobody in particular.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

import psycopg.errors
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Sum
from django.db.models.functions import Now
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_name, clean_text
from datasets_app.models import Dataset, Purpose, Upload
from otto_web.lib import audit
from otto_web.lib.files import fsync_path
from otto_web.lib.hints import hint
from otto_web.lib.work.states import State

BLOCK_BYTES = 256 * 1024
LIFE = timedelta(days=7)
NOT_TAKEN = "The disk did not take this piece. It can be sent again later."
GIB = 1024**3
IN_FLIGHT_BYTES = 20 * GIB
IN_FLIGHT_UPLOADS = 5
ACTIVE = timedelta(minutes=10)
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
DIGESTS: dict[str, Callable[[bytes], Any]] = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


class UploadError(CorpusError):
    """A request about an upload that cannot be met; nothing was changed."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is known of a file before its first byte; only `size` is believed."""

    name: str
    size: int
    claimed_type: str = ""
    sha256: str = ""
    dataset: str = ""
    idem_key: str | None = None
    is_again: bool = False
    purpose: Purpose = Purpose.DATA


class Readable(Protocol):
    """What gives its next bytes, and none at its end: a file or a request."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file: `size` bytes to come from `body`, read in blocks and never kept whole.

    `checksum` is the header `algorithm base64`, or empty.
    """

    offset: int
    size: int
    body: Readable
    checksum: str = ""


def part_path(upload_id: UUID) -> Path:
    """Return where an upload's bytes gather; the row's offset says how many of them count."""
    return Path(settings.OTTO_DATA_DIR) / "parts" / str(upload_id)


def create_upload(new: NewUpload, *, by: User | None) -> Upload:
    """Open an upload; the same `idem_key` of the same person gives the same upload again."""
    if new.idem_key and (earlier := _by_idem_key(new.idem_key, by)):
        return earlier
    if new.sha256 and not SHA256.fullmatch(new.sha256):
        raise UploadError(400, "The announced SHA-256 must be 64 hexadecimal digits.")
    _check_limits(new.size, by)
    try:
        return _insert_upload(new, by=by)
    except IntegrityError:
        if new.idem_key and (earlier := _by_idem_key(new.idem_key, by)):
            return earlier
        raise
    except OSError as error:
        raise UploadError(507, NOT_TAKEN) from error


def _by_idem_key(idem_key: str, by: User | None) -> Upload | None:
    return Upload.objects.filter(created_by=by, idem_key=idem_key).first()


@transaction.atomic(durable=True)
def _insert_upload(new: NewUpload, *, by: User | None) -> Upload:
    dataset, dataset_name = chosen_dataset(new.dataset, by)
    upload = Upload(
        created_by=by,
        name=clean_name(new.name) or "unnamed",
        claimed_type=clean_text(new.claimed_type).text[:200],
        size=new.size,
        claimed_sha256=new.sha256.lower(),
        dataset=dataset,
        dataset_name=dataset_name,
        idem_key=new.idem_key,
        is_again=new.is_again,
        purpose=new.purpose,
        expires_at=timezone.now() + LIFE,
    )
    upload.save(force_insert=True)
    audit.record(by, "upload.start", upload, after={"name": upload.name, "size": upload.size})
    if new.size == 0:
        part = part_path(upload.pk)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        _move(upload, 0)
    return upload


def chosen_dataset(choice: str, by: User | None) -> tuple[Dataset | None, str]:
    """Read the choice of a person: an existing dataset's id, else the name of a dataset."""
    choice = clean_text(choice).text.strip()
    try:
        wanted = UUID(choice)
    except ValueError:
        return None, choice[:200]
    datasets = Dataset.objects.visible_to(by) if by else Dataset.objects.all()
    found = datasets.filter(pk=wanted, deleted_at=None).first()
    if found is None:
        raise UploadError(400, "The chosen dataset is no longer there. Choose another one.")
    return found, ""


def _check_limits(size: int, by: User | None) -> None:
    limit = settings.OTTO_UPLOAD_LIMIT_BYTES
    if size > limit:
        raise UploadError(
            413,
            f"This file has {size:,} bytes; one upload may have {limit:,} ({limit / GIB:.1f} GiB). "
            "Split it and upload the parts.",
        )
    open_now = Upload.objects.filter(created_by=by, state=State.RECEIVING)
    left = open_now.aggregate(left=Sum(F("size") - F("offset")))["left"] or 0
    most = max(IN_FLIGHT_BYTES, limit)  # one file that is allowed is never too much by itself
    if left + size > most:
        raise UploadError(
            429,
            f"With this file your unfinished uploads would exceed {most / GIB:g} GiB. "
            "Finish or cancel some.",
        )
    active = open_now.filter(expires_at__gt=timezone.now() + LIFE - ACTIVE).count()
    if active >= IN_FLIGHT_UPLOADS:
        raise UploadError(429, f"{active} of your uploads are on their way. Let one finish first.")


@transaction.atomic(durable=True)
def write_chunk(upload_id: UUID, chunk: Chunk, *, by: User | None) -> Upload:
    """Add a piece; when this returns, a power cut does not lose it."""
    upload = _locked(upload_id, by)
    _check_chunk(upload, chunk)
    _check_disk(chunk.size)
    try:
        _append(part_path(upload.pk), chunk)
    except OSError as error:
        raise UploadError(507, NOT_TAKEN) from error
    _move(upload, chunk.offset + chunk.size)
    return upload


def _locked(upload_id: UUID, by: User | None) -> Upload:
    own = Upload.objects.filter(pk=upload_id, created_by=by)
    try:
        upload = own.select_for_update(nowait=True, of=("self",)).first()
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            sentence = "Another piece of this file is being written. Try again in a second."
            raise UploadError(423, sentence) from error
        raise
    if upload is None:
        raise UploadError(404, "There is no such upload.")
    found: Upload = upload
    return found


def _check_chunk(upload: Upload, chunk: Chunk) -> None:
    if upload.state != State.RECEIVING:
        raise UploadError(410, "This upload takes no more bytes.")
    if chunk.offset != upload.offset:
        raise UploadError(409, f"The next byte wanted is {upload.offset}, not {chunk.offset}.")
    if chunk.offset + chunk.size > upload.size:
        raise UploadError(413, f"This piece goes beyond the {upload.size} bytes announced.")


def _announced_digest(checksum: str) -> tuple[Any, bytes] | None:
    """Return a digest that has seen nothing yet and what it must come to; None without one."""
    if not checksum:
        return None
    algorithm, _, encoded = checksum.partition(" ")
    if algorithm not in DIGESTS:
        raise UploadError(400, "Checksums may be sha1 or sha256.")
    try:
        return DIGESTS[algorithm](b""), base64.b64decode(encoded.strip(), validate=True)
    except ValueError as error:  # no base64, or not even ASCII
        raise UploadError(400, "The checksum is not valid base64.") from error


def _check_disk(size: int) -> None:
    folder = Path(settings.OTTO_DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    reserve = max(settings.OTTO_DISK_RESERVE_BYTES, usage.total // 20)
    if usage.free - size < reserve:
        raise UploadError(
            507, "The disk of this installation is nearly full. Your upload can go on later."
        )


def _append(part: Path, chunk: Chunk) -> None:
    """Write behind the offset, whatever an interrupted attempt left there."""
    announced = _announced_digest(chunk.checksum)
    part.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size < chunk.offset:
            raise UploadError(410, "The bytes sent so far are gone. Start this upload again.")
        os.ftruncate(descriptor, chunk.offset)
        try:
            _write_all(descriptor, chunk, announced)
            os.fsync(descriptor)
        except (OSError, UploadError):
            os.ftruncate(descriptor, chunk.offset)
            raise
    finally:
        os.close(descriptor)
    if chunk.offset == 0:
        fsync_path(part.parent)


def _write_all(descriptor: int, chunk: Chunk, announced: tuple[Any, bytes] | None) -> None:
    place, end = chunk.offset, chunk.offset + chunk.size
    while block := chunk.body.read(min(BLOCK_BYTES, end - place)):
        if announced:
            announced[0].update(block)
        rest = memoryview(block)
        while rest:
            count = os.pwrite(descriptor, rest, place)
            rest, place = rest[count:], place + count
    if place != end or (announced and announced[0].digest() != announced[1]):
        raise UploadError(460, "This piece was damaged on its way. Send it again.")


def _move(upload: Upload, offset: int) -> None:
    """Move the row's offset; the last byte hands the upload to a worker."""
    old, upload.offset = upload.offset, offset
    upload.expires_at = timezone.now() + LIFE
    if offset == upload.size:
        upload.state = State.QUEUED
        upload.expires_at = None
        hint(Upload.job, upload.pk)
    changed = Upload.objects.filter(pk=upload.pk, offset=old).update(
        offset=upload.offset, expires_at=upload.expires_at, state=upload.state, queued_at=Now()
    )
    if not changed:
        raise UploadError(409, "Another request has moved this upload.")


def receive_whole(new: NewUpload, body: bytes, *, by: User | None) -> Upload:
    """Take bytes that are in memory anyway."""
    return receive_file(new, io.BytesIO(body), by=by)


def receive_file(new: NewUpload, body: Readable, *, by: User | None) -> Upload:
    """Take a small file in one piece."""
    upload = create_upload(new, by=by)
    if upload.offset == upload.size:
        return upload
    return write_chunk(upload.pk, Chunk(0, new.size, body), by=by)


def receive_path(path: Path, new: NewUpload, *, by: User | None) -> Upload:
    """Take a file of the server's disk, in pieces and through the same checks."""
    with path.open("rb") as file:
        return receive_open(file, new, by=by)


def receive_open(file: BinaryIO, new: NewUpload, *, by: User | None) -> Upload:
    """Take an open file, from where an earlier attempt of the same `idem_key` ended."""
    upload = create_upload(new, by=by)
    file.seek(upload.offset)
    while size := min(settings.OTTO_CHUNK_BYTES, new.size - upload.offset):
        upload = write_chunk(upload.pk, Chunk(upload.offset, size, file), by=by)
    return upload
