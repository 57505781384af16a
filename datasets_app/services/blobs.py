"""The blob store: files come in under the name of their SHA-256, and go when nothing names them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from datasets_app.models import Blob, SourceFile, Upload, WebPage
from datasets_app.models.blob import blob_path, store_path
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import READ_BYTES, fsync_all
from otto_web.lib.work.states import OPEN

UPSERT = """
INSERT INTO datasets_app_blob (sha256, size, created_at)
SELECT sha256, size, now() FROM unnest(%s::varchar[], %s::bigint[]) AS new (sha256, size)
ORDER BY sha256
ON CONFLICT (sha256) DO UPDATE SET created_at = now()
"""
"""In the order of the hashes: of two who take some of the same, none waits for the other."""
BLOB_MODE = 0o440


def work_path() -> Path:
    """Return the folder for files on their way into the store, on the store's own disk."""
    path = Path(settings.OTTO_DATA_DIR) / "work"
    path.mkdir(parents=True, exist_ok=True)
    return path


def move_into_store(files: Mapping[str, Path]) -> dict[str, Blob]:
    """Take files into the store, by their hashes; they are gone from where they were.

    Return their rows, whose locks are held while the files move, so that `drop_unnamed` never
    removes one between.
    """
    sizes = [file.stat().st_size for file in files.values()]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, [list(files), sizes])
        _place(
            {file: final for name, file in files.items() if not (final := blob_path(name)).exists()}
        )
        for name, file in files.items():
            if file != blob_path(name):
                file.unlink(missing_ok=True)
        return Blob.objects.in_bulk(list(files))


def _place(moves: Mapping[Path, Path]) -> None:
    """Give durable files their final names."""
    folders: set[Path] = set()
    for file, final in moves.items():
        for folder in (final.parent.parent, final.parent):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                folders.add(folder.parent)
        file.chmod(BLOB_MODE)
    fsync_all(moves)
    for file, final in moves.items():
        file.rename(final)
        folders.add(final.parent)
    failpoint("blobs.placed")
    fsync_all(folders)


def unnamed_blobs(before: datetime) -> list[str]:
    """Return hashes that nothing has named since `before`."""
    found = Blob.objects.filter(*_unnamed(), created_at__lt=before)
    return list(found.values_list("pk", flat=True)[:1000])


def _unnamed() -> list[Q]:
    """Return the conditions that no upload, no source file and no fetched page has a blob."""
    naming = (Upload.objects, SourceFile.objects, WebPage.objects)
    return [Q(~Exists(rows.filter(blob=OuterRef("pk")))) for rows in naming]


def drop_unnamed(sha256: str, before: datetime) -> bool:
    """Remove one blob, row and file, unless something has named it meanwhile."""
    with transaction.atomic():
        locked = list(Blob.objects.select_for_update().filter(pk=sha256, created_at__lt=before))
        blob = Blob.objects.filter(pk=sha256)
        if not locked or not blob.filter(*_unnamed()).exists():
            return False
        blob.delete()
        blob_path(sha256).unlink(missing_ok=True)
        return True


def orphan_files(before: datetime) -> Iterator[Path]:
    """Yield files of the store that have no row and are older than `before`.

    What an open upload brought may be the only copy: its worker can have died between the move
    and the row.
    """
    for folder in store_path().glob("??"):
        paths = folder.glob("??/*")
        old = {path.name: path for path in paths if path.stat().st_mtime < before.timestamp()}
        known = Blob.objects.filter(pk__in=list(old)).values_list("pk", flat=True)
        coming = Upload.objects.filter(seen_sha256__in=list(old), blob=None, state__in=OPEN)
        moved = coming.values_list("seen_sha256", flat=True)
        for name in old.keys() - set(known) - set(moved):
            yield old[name]


def hash_file(file: Path, touch: Callable[[], None]) -> str:
    """Return a file's SHA-256; `touch` is called after each MiB."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
            touch()
    return digest.hexdigest()
