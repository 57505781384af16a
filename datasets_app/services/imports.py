"""Every step of an import, each a conditional update: whoever lost the fence writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from datasets_app.models import Blob, Dataset, FileState, Issue, SourceFile, Upload
from datasets_app.models.reasons import GATHERED, GOOD_MEMBER
from datasets_app.services.datasets import create_dataset
from otto_web.lib.work.claims import claim, finish, give_back, renew
from otto_web.lib.work.states import State

SMALL_BYTES = 16 << 20
LARGE = Q(size__gt=SMALL_BYTES) | Q(files__size__gt=SMALL_BYTES)
NO_BYTES = dict.fromkeys(("n_total", "n_loaded", "n_skipped", "n_failed"), 0)
NO_COUNTS = NO_BYTES | dict.fromkeys(
    (
        *("n_records", "n_issues", "n_known", "cursor"),
        *("n_parts", "n_parts_loaded", "n_parts_skipped", "n_parts_failed"),
    ),
    0,
)
CLAIMING = 7701  # any number: the lock under which imports are claimed


@transaction.atomic(durable=True)
def claim_import(upload_id: UUID | str) -> Upload | None:
    """Take an upload that waits or was left by its worker; None when there is nothing to do.

    Large ones never take all places: the last one is kept for small files, and a large one that
    finds no other is hinted again by the reaper.
    """
    _stand_in_line()
    return claim(Upload, upload_id) if _has_place(upload_id) else None


@transaction.atomic(durable=True)
def give_way(upload: Upload) -> bool:
    """Queue an upload again that has turned out large, if the last place is kept for small ones."""
    _stand_in_line()
    if _has_place(upload.pk):
        return False
    give_back(upload, counts=False)
    return True


def _stand_in_line() -> None:
    """Let others that ask for a place wait, so that two large ones do not take the last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMING])


def _has_place(upload_id: UUID | str) -> bool:
    large = Upload.objects.exclude(pk=upload_id).filter(LARGE, state=State.RUNNING)
    taken = large.filter(lease_until__gt=Now()).distinct().count()
    if taken < max(1, settings.OTTO_SHORT_WORKERS - 1):
        return True
    return not Upload.objects.filter(LARGE, pk=upload_id).exists()


@transaction.atomic(durable=True)
def end_import(
    upload: Upload, state: State = State.SUCCEEDED, *, reason: str = "", message: str = ""
) -> None:
    """Give the upload its last state."""
    _finish(upload, state, reason=reason, message=message)


@transaction.atomic(durable=True)
def end_reading(
    upload: Upload, state: State = State.SUCCEEDED, *, reason: str = "", message: str = ""
) -> bool:
    """Give the upload its last state, unless a person has let another file go meanwhile."""
    renew(upload)  # its lock makes such a choice wait
    if upload.files.filter(verdict=FileState.QUEUED).exists():
        return False
    _finish(upload, state, reason=reason, message=message)
    return True


def _finish(upload: Upload, state: State, **changes: Any) -> None:
    finish(upload, state, attempts=0, **changes)


def earlier_upload(upload: Upload) -> Upload | None:
    """Return a finished upload of the same bytes that went where this one would go.

    One that broke off in the middle of a file is none: a part is not the whole.
    """
    same = Upload.objects.filter(blob=upload.blob, state=State.SUCCEEDED, duplicate_of=None)
    same = same.exclude(pk__in=SourceFile.objects.broken_off().values("upload"))
    same = same.filter(dataset__deleted_at=None).exclude(dataset=None).exclude(pk=upload.pk)
    if upload.dataset is not None:
        same = same.filter(dataset=upload.dataset)
    elif upload.dataset_name:
        same = same.filter(dataset__name=upload.dataset_name)
    found: Upload | None = same.order_by("created_at").first()
    return found


@transaction.atomic(durable=True)
def note_sha256(upload: Upload, sha256: str) -> None:
    """Note what the bytes are before they move, so that a crash cannot lose sight of them."""
    renew(upload, seen_sha256=sha256)


@transaction.atomic(durable=True)
def take_blob(upload: Upload, move: Callable[[], Blob]) -> None:
    """Note the bytes that an upload brought; row and file appear together."""
    renew(upload, blob=move())


@transaction.atomic(durable=True)
def end_as_duplicate(upload: Upload, original: Upload) -> None:
    """End an upload whose bytes are known; a person may still have it loaded again."""
    _finish(upload, State.SUCCEEDED, reason="already_uploaded", duplicate_of=original)


@transaction.atomic(durable=True)
def open_root(upload: Upload, blob: Blob) -> None:
    """Make the upload itself the first file of its tree."""
    renew(upload)
    SourceFile.objects.get_or_create(
        upload=upload,
        parent=None,
        member_no=0,
        defaults={"name": upload.name, "blob": blob, "size": blob.size},
    )


@transaction.atomic(durable=True)
def settle_dataset(upload: Upload) -> Dataset:
    """Return the dataset that the rows go to: the chosen one, or one named after the file."""
    if upload.dataset is not None:
        return upload.dataset
    wanted = upload.dataset_name
    named = Dataset.objects.filter(name=wanted, deleted_at=None).first() if wanted else None
    fresh = wanted or PurePosixPath(upload.name).name.split(".")[0] or "Upload"
    dataset: Dataset = named or create_dataset(fresh, by=upload.created_by)
    renew(upload, dataset=dataset)
    return dataset


@transaction.atomic(durable=True)
def add_members(upload: Upload, members: list[SourceFile]) -> None:
    """Add files found in an archive; those noted by an earlier attempt stay as they are."""
    renew(upload)
    SourceFile.objects.bulk_create(members, ignore_conflicts=True)


@transaction.atomic(durable=True)
def gather_members(upload: Upload, whole: SourceFile, members: list[int]) -> None:
    """Let members of an archive be read as one file that holds their bytes."""
    renew(upload)
    SourceFile.objects.bulk_create([whole], ignore_conflicts=True)
    found = SourceFile.objects.filter(
        parent=whole.parent, member_no__in=members, verdict=FileState.QUEUED
    )
    found.update(
        verdict=FileState.SKIPPED,
        reason=GATHERED,
        note=f"It is read together with others as “{whole.name}”.",
        n_total=F("size"),
        n_skipped=F("size"),
        finished_at=timezone.now(),
    )


@transaction.atomic(durable=True)
def offer_members(upload: Upload, file: SourceFile) -> None:
    """Let the members that were whole wait for a person, since their archive was not."""
    renew(upload)
    whole = SourceFile.objects.filter(parent=file, verdict=FileState.QUEUED)
    whole.update(verdict=FileState.WAITING, reason=GOOD_MEMBER)


@transaction.atomic(durable=True)
def begin_file(upload: Upload, file: SourceFile, reader: str) -> None:
    """Count a file from its first item on, as this reader yields them."""
    renew(upload)
    Issue.objects.filter(source_file=file).delete()
    changes = {"reader": reader, "reading": file.reading + 1, **NO_COUNTS}
    SourceFile.objects.filter(pk=file.pk).update(**changes)
    for name, value in changes.items():
        setattr(file, name, value)


@transaction.atomic(durable=True)
def end_file(upload: Upload, file: SourceFile, **changes: Any) -> None:
    """Give a file its verdict; bytes that no reader counted are put where the verdict says."""
    renew(upload, attempts=0)
    if "n_total" not in changes and not file.n_total:
        changes |= bytes_as_whole(file, changes["verdict"])
    SourceFile.objects.filter(pk=file.pk).update(finished_at=timezone.now(), **changes)


def bytes_as_whole(file: SourceFile, verdict: FileState) -> dict[str, int]:
    """Return the counters of a file of whose bytes no reader says what became of each."""
    column = {FileState.LOADED: "n_loaded", FileState.SKIPPED: "n_skipped"}.get(verdict, "n_failed")
    return {**NO_BYTES, "n_total": file.size, column: file.size}


@transaction.atomic(durable=True)
def note_comparison(upload: Upload, file: SourceFile, told: dict[str, Any]) -> None:
    """Note which of a file's rows stay when it is read anew, and which go."""
    renew(upload)
    file.anew = told
    SourceFile.objects.filter(pk=file.pk).update(anew=told)


@transaction.atomic(durable=True)
def park_file(upload: Upload, file: SourceFile, **changes: Any) -> None:
    """Leave a file until a person has chosen."""
    renew(upload)
    SourceFile.objects.filter(pk=file.pk).update(**changes)
