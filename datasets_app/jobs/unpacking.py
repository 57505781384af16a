"""Unpacks an archive: its members become source files of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Sum

from datasets_app.corpus.archives.gathering import Found, Gathering, gatherings
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

MOST_LISTED = 1_000_000  # no archive lists as many members, so numbers from there on are free
SLICE, SLICE_BYTES = 500, 64 << 20
OPENED, KEPT = "opened", "kept"
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
            members = Members(upload, file, folder / KEPT, touch)
            with closing(
                unpack(path, archive, folder / OPENED, limits, flag, name=file.name)
            ) as found:
                count = members.keep(found)
            members.gather()
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
    """Yield a folder with two empty ones; it goes afterwards, as does what killed attempts left."""
    for left in work_path().glob(f"{upload.pk}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = work_path() / f"{upload.pk}.{upload.fence}"
    for inner in (OPENED, KEPT):
        (folder / inner).mkdir(parents=True)
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


@dataclass(slots=True)
class Members:
    """The members of an archive on their way into the store and the list of files, in slices.

    Their bytes wait in a folder until a slice is full, since many files are made durable as fast
    as one.
    """

    upload: Upload
    file: SourceFile
    folder: Path
    touch: Callable[[], None]
    rows: list[SourceFile] = field(default_factory=list)
    kept: dict[str, Path] = field(default_factory=dict)
    size: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)
    """The number, the name and the hash of each file that is there to be read."""

    def keep(self, members: Iterable[Member]) -> int:
        """Add the members, also those that came before the archive broke off; count them."""
        count = 0
        try:
            for member in members:
                self._add(member)
                count += 1
                if len(self.rows) == SLICE or self.size > SLICE_BYTES:
                    self._write()
        except ChildError:
            self._write()
            raise
        self._write()
        return count

    def gather(self) -> None:
        """Let files be read as one that only together say what was said."""
        files = [Found(number, name, blob_path(sha256)) for number, name, sha256 in self.told]
        last = max((file.number for file in files), default=0) + MOST_LISTED
        for number, whole in enumerate(gatherings(files, self.touch), last):
            size = sum(file.path.stat().st_size for file in whole.files)
            if size < shutil.disk_usage(self.folder).free // FREE_SHARE:
                self._gather(whole, number)

    def _gather(self, whole: Gathering, number: int) -> None:
        path = self.folder / "gathered"
        with path.open("wb") as file:
            for piece in whole.pieces():
                file.write(piece)
        self.touch()
        sha256 = hash_file(path, self.touch)
        row = SourceFile(
            upload=self.upload,
            parent=self.file,
            member_no=number,
            name=whole.name,
            depth=self.file.depth + 1,
            size=path.stat().st_size,
            blob=move_into_store({sha256: path})[sha256],
        )
        imports.gather_members(self.upload, row, [file.number for file in whole.files])

    def _write(self) -> None:
        self.touch()
        if self.kept:
            move_into_store(self.kept)
        imports.add_members(self.upload, self.rows)
        self.rows, self.kept, self.size = [], {}, 0

    def _add(self, member: Member) -> None:
        row = SourceFile(
            upload=self.upload,
            parent=self.file,
            member_no=member.number,
            name=member.name,
            depth=self.file.depth + 1,
            size=member.size,
            verdict=VERDICTS[member.verdict],
            reason=member.reason,
        )
        if member.path is not None:
            self._take(member.path, row)
        elif member.section:
            row.blob, row.section = self.file.blob, member.section
            row.verdict = FileState.WAITING if member.reason in OFFERED else row.verdict
        else:
            row.n_total = row.size
            row.n_skipped = row.size if row.verdict == FileState.SKIPPED else 0
            row.n_failed = row.size - row.n_skipped
        self.rows.append(row)

    def _take(self, path: Path, row: SourceFile) -> None:
        """Put the bytes of a member aside until their slice is full."""
        row.size = path.stat().st_size
        row.blob_id = sha256 = hash_file(path, self.touch)
        if sha256 not in self.kept:
            self.kept[sha256] = path.rename(self.folder / sha256)
            self.size += row.size
        if row.verdict == FileState.QUEUED:
            self.told.append((row.member_no, row.name, sha256))


def _end_broken(upload: Upload, file: SourceFile, error: ChildError) -> None:
    if error.code == "too_deep":
        changes = {"verdict": FileState.SKIPPED, "reason": error.code}
    else:
        where = f" (at byte {error.at:,})" if error.at else ""
        changes = {"verdict": FileState.FAILED, "reason": error.code, "note": f"{error}{where}"}
        imports.offer_members(upload, file)
    imports.end_file(upload, file, **changes)
