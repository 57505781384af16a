"""Unpacks an archive: its members become source files of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Sum

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.unpack import Member, unpack
from datasets_app.corpus.formats.format import Archive
from datasets_app.corpus.limited.run import ChildError
from datasets_app.jobs.faults import DiskFullError
from datasets_app.models import FileState, SourceFile, Upload
from datasets_app.models.blob import blob_path
from datasets_app.models.reasons import OFFERED
from datasets_app.services import imports
from datasets_app.services.blobs import hash_file, move_into_store, work_path

SLICE = 500
FREE_SHARE = 4
VERDICTS = {"ok": FileState.QUEUED, "skipped": FileState.SKIPPED, "failed": FileState.FAILED}


def stop_flag(touch: Callable[[], None]) -> Callable[[], bool]:
    """Return what is asked while a child reads; it raises LostLease once nobody wants the import.

    It asks no database: this happens inside steps that a timer may end between any two
    instructions, also those of a statement. The lease's own thread looks at the row.
    """

    def should_stop() -> bool:
        touch()
        return False

    return should_stop


def unpack_source(
    upload: Upload, file: SourceFile, archive: Archive, *, touch: Callable[[], None]
) -> None:
    """Turn an archive into its members; one that breaks off keeps what was whole on offer."""
    flag = stop_flag(touch)
    try:
        with _empty_folder(upload) as folder:
            limits = _budget(upload, file, folder)
            path = blob_path(str(file.blob_id))
            with closing(unpack(path, archive, folder, limits, flag, name=file.name)) as found:
                count = _keep_members(upload, file, found, touch)
    except ChildError as error:
        if error.code == "disk_full":
            raise DiskFullError from error
        _end_broken(upload, file, error)
        return
    reason = "" if count else "empty_archive"
    verdict = FileState.LOADED if count else FileState.SKIPPED
    imports.end_file(upload, file, verdict=verdict, reason=reason)


@contextmanager
def _empty_folder(upload: Upload) -> Iterator[Path]:
    """Yield a folder that is gone afterwards; one that a killed attempt left goes first."""
    for left in work_path().glob(f"{upload.pk}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = work_path() / f"{upload.pk}.{upload.fence}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _budget(upload: Upload, file: SourceFile, folder: Path) -> ArchiveLimits:
    """Return what is left of the one budget that all archives of an upload share."""
    whole = ArchiveLimits()
    free = shutil.disk_usage(folder).free
    whole = replace(
        whole,
        total_bytes=min(whole.total_bytes, free // FREE_SHARE),
        free_disk_bytes=settings.OTTO_DISK_RESERVE_BYTES,
    )
    others = upload.files.exclude(parent=None).exclude(parent=file)
    used = others.aggregate(members=Count("pk"), size=Sum("size", default=0))
    left = whole.inside(members=used["members"], size=used["size"])
    return replace(left, depth=whole.depth - file.depth)


def _keep_members(
    upload: Upload, file: SourceFile, members: Iterable[Member], touch: Callable[[], None]
) -> int:
    """Add the members in slices, also those that came before the archive broke off."""
    count = 0
    rows: list[SourceFile] = []
    try:
        for member in members:
            rows.append(_member_row(upload, file, member, touch))
            count += 1
            if len(rows) == SLICE:
                imports.add_members(upload, rows)
                rows = []
    except ChildError:
        imports.add_members(upload, rows)
        raise
    imports.add_members(upload, rows)
    return count


def _member_row(
    upload: Upload, file: SourceFile, member: Member, touch: Callable[[], None]
) -> SourceFile:
    row = SourceFile(
        upload=upload,
        parent=file,
        member_no=member.number,
        name=member.name,
        depth=file.depth + 1,
        size=member.size,
        verdict=VERDICTS[member.verdict],
        reason=member.reason,
    )
    if member.path is not None:
        row.blob = move_into_store(member.path, hash_file(member.path, touch))
        row.size = row.blob.size
    elif member.section:
        row.blob, row.section = file.blob, member.section
        row.verdict = FileState.WAITING if member.reason in OFFERED else row.verdict
    else:
        row.n_total = row.size
        row.n_skipped = row.size if row.verdict == FileState.SKIPPED else 0
        row.n_failed = row.size - row.n_skipped
    return row


def _end_broken(upload: Upload, file: SourceFile, error: ChildError) -> None:
    if error.code == "too_deep":
        changes = {"verdict": FileState.SKIPPED, "reason": error.code}
    else:
        where = f" (at byte {error.at:,})" if error.at else ""
        changes = {"verdict": FileState.FAILED, "reason": error.code, "note": f"{error}{where}"}
        imports.offer_members(upload, file)
    imports.end_file(upload, file, **changes)
