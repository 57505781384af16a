"""Whose turn it is: large uploads leave a place for small ones."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Upload
from datasets_app.services import imports
from otto_web.lib.work.states import State

pytestmark = pytest.mark.django_db(transaction=True)
ROW = b'{"input": "Where is the hat, please?", "output": "It is on the shelf."}\n'


@pytest.fixture
def at_work(upload, monkeypatch):
    """Give a function that makes an upload some worker reads."""
    monkeypatch.setattr(imports, "LARGE", Q(size__gt=len(ROW)))

    def reading(name, body):
        found = upload(name, body)
        later = timezone.now() + timedelta(minutes=1)
        Upload.objects.filter(pk=found.pk).update(state=State.RUNNING, lease_until=later)
        return found

    return reading


@pytest.mark.slow
def test_the_last_place_is_kept_for_a_small_file(upload, at_work, settings):
    settings.OTTO_SHORT_WORKERS = 2
    first = at_work("large.jsonl", ROW * 2)
    second, small = upload("large too.jsonl", ROW * 3), upload("small.jsonl", ROW)
    assert not import_upload(second.pk)
    assert import_upload(small.pk)
    Upload.objects.filter(pk=first.pk).update(
        state=State.SUCCEEDED, lease_until=None, finished_at=timezone.now()
    )
    assert import_upload(second.pk)


@pytest.mark.slow
def test_an_archive_that_turns_out_large_gives_its_worker_to_small_files(
    upload, at_work, settings, monkeypatch
):
    settings.OTTO_SHORT_WORKERS = 2
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large inside.jsonl", ROW.replace(b"hat", b"coat") * 100)
    first = at_work("large.jsonl", ROW * 100)
    monkeypatch.setattr(imports, "LARGE", Q(size__gt=5_000) | Q(files__size__gt=5_000))
    second = upload("small outside.zip", packed.getvalue())
    import_upload(second.pk)
    second.refresh_from_db()
    assert (second.state, second.files.exclude(parent=None).get().verdict) == ("queued", "queued")
    assert import_upload(upload("small.jsonl", ROW).pk)
    Upload.objects.filter(pk=first.pk).update(
        state=State.SUCCEEDED, lease_until=None, finished_at=timezone.now()
    )
    import_upload(second.pk)
    second.refresh_from_db()
    assert (second.state, second.dataset.conversations.count()) == ("succeeded", 100)


def test_one_worker_alone_takes_large_files_too(upload, at_work, settings):
    settings.OTTO_SHORT_WORKERS = 1
    assert import_upload(upload("large.jsonl", ROW * 2).pk)


def test_a_large_upload_that_waits_for_the_disk_takes_no_place(upload, at_work):
    waits = at_work("large.jsonl", ROW * 2)
    Upload.objects.filter(pk=waits.pk).update(
        state=State.QUEUED, lease_until=None, reason="disk_full"
    )
    assert import_upload(upload("large too.jsonl", ROW * 3).pk)
