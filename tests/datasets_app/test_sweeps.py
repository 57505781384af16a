"""What is left behind goes: unfinished uploads, unnamed bytes, files without a row."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app import sweeps
from datasets_app.blobs import blob_path, move_into_store, work_path
from datasets_app.models import Blob, Upload, UploadState
from datasets_app.services import uploads
from datasets_app.services.uploads import Chunk, NewUpload, part_path

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
LATER = timedelta(hours=2)


def kept(name, body=b"some bytes"):
    file = work_path() / name
    file.write_bytes(body)
    return move_into_store(file, f"{name:0>64}")


def test_an_unfinished_upload_ends_seven_days_after_its_last_piece(cora):
    upload = uploads.create_upload(NewUpload("a.txt", 10), by=cora)
    uploads.write_chunk(upload.pk, Chunk(0, b"12345"), by=cora)
    sweeps.expire_uploads(timezone.now() + timedelta(days=6))
    assert part_path(upload.pk).exists()
    sweeps.expire_uploads(timezone.now() + timedelta(days=8))
    upload.refresh_from_db()
    assert upload.state == UploadState.EXPIRED
    assert not part_path(upload.pk).exists()
    sweeps.expire_uploads(timezone.now() + timedelta(days=16))
    assert not Upload.objects.exists()


@pytest.mark.checklist(41)
def test_bytes_that_nothing_names_are_freed_and_named_ones_stay(cora):
    named, unnamed = kept("1"), kept("2")
    upload = uploads.create_upload(NewUpload("a.txt", 10), by=cora)
    Upload.objects.filter(pk=upload.pk).update(blob=named)
    sweeps.remove_unnamed_blobs(timezone.now())
    assert blob_path(unnamed.pk).exists()
    sweeps.remove_unnamed_blobs(timezone.now() + LATER)
    assert not blob_path(unnamed.pk).exists()
    assert list(Blob.objects.all()) == [named]
    assert blob_path(named.pk).exists()


def test_files_without_a_row_and_old_work_folders_go(monkeypatch):
    monkeypatch.setattr(sweeps, "_orphans_looked_at", float("-inf"))
    blob = kept("3")
    Blob.objects.all().delete()
    left = work_path() / "left"
    left.mkdir()
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(left, (long_ago, long_ago))
    sweeps.remove_orphans(timezone.now())
    assert blob_path(blob.pk).exists()
    assert not left.exists()
    monkeypatch.setattr(sweeps, "_orphans_looked_at", float("-inf"))
    sweeps.remove_orphans(timezone.now() + LATER)
    assert not blob_path(blob.pk).exists()


def test_the_same_bytes_twice_are_one_file(data_dir):
    first, second = kept("4"), kept("4")
    assert first == second
    assert len([path for path in (data_dir / "blobs").rglob("*") if path.is_file()]) == 1
