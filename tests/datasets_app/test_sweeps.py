"""What is left behind goes: unfinished uploads, unnamed bytes, files without a row."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from datasets_app import sweeps
from datasets_app.corpus.rules import policy
from datasets_app.jobs import freezing, importing, rescoring
from datasets_app.models import Blob, Conversation, Rescoring, Upload, Version
from datasets_app.models.blob import blob_path
from datasets_app.services import receiving, versions
from datasets_app.services.blobs import move_into_store, work_path
from datasets_app.services.datasets import delete_dataset, set_policy
from datasets_app.services.receiving import Chunk, NewUpload, part_path
from otto_web.lib.work.claims import LostLease, claim, order_anew
from otto_web.lib.work.states import State
from tests.datasets_app.makers import support_dataset

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
LATER = timedelta(hours=2)


def kept(name, body=b"some bytes"):
    file = work_path() / name
    file.write_bytes(body)
    sha256 = f"{name:0>64}"
    return move_into_store({sha256: file})[sha256]


def test_an_unfinished_upload_ends_seven_days_after_its_last_piece(cora):
    upload = receiving.create_upload(NewUpload("a.txt", 10), by=cora)
    receiving.write_chunk(upload.pk, Chunk(0, 5, io.BytesIO(b"12345")), by=cora)
    sweeps.expire_uploads(timezone.now() + timedelta(days=6))
    assert part_path(upload.pk).exists()
    sweeps.expire_uploads(timezone.now() + timedelta(days=8))
    upload.refresh_from_db()
    assert upload.state == State.CANCELLED
    assert not part_path(upload.pk).exists()
    sweeps.expire_uploads(timezone.now() + timedelta(days=16))
    assert not Upload.objects.exists()


@pytest.mark.checklist(41)
def test_bytes_that_nothing_names_are_freed_and_named_ones_stay(cora):
    named, unnamed = kept("1"), kept("2")
    upload = receiving.create_upload(NewUpload("a.txt", 10), by=cora)
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


def test_bytes_whose_worker_died_before_it_named_them_stay_for_the_next_one(cora, monkeypatch):
    monkeypatch.setattr(sweeps, "_orphans_looked_at", float("-inf"))
    body = b'{"input": "Where is my hat?", "output": "It is on its way."}\n'
    upload = receiving.receive_whole(NewUpload("a.jsonl", len(body)), body, by=cora)

    def die(files):
        move_into_store(files)
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(importing, "move_into_store", die)
        with pytest.raises(SystemExit):
            importing.import_upload(upload.pk)
    assert not Blob.objects.exists()
    sweeps.remove_orphans(timezone.now() + LATER)
    assert importing.import_upload(upload.pk)
    assert Conversation.objects.count() == 1


def test_the_same_bytes_twice_are_one_file(data_dir):
    first, second = kept("4"), kept("4")
    assert first == second
    assert len([path for path in (data_dir / "blobs").rglob("*") if path.is_file()]) == 1


def test_a_version_whose_worker_dies_again_and_again_is_given_up(cora):
    version = versions.order_version(support_dataset(cora), user=cora)
    for _ in range(Version.retry.most):
        assert claim(Version, version.pk)
        Version.objects.update(lease_until=timezone.now() - LATER)
    freezing.freeze(version.pk)
    version.refresh_from_db()
    assert (version.state, version.rows.count()) == ("failed", 0)
    assert "interrupted" in version.message


def elsewhere(act, *args):
    """Do something on another connection, as another process does."""

    def do():
        try:
            return act(*args)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(do).result()


def test_a_worker_that_lost_a_version_freezes_nothing(cora, monkeypatch):
    version = versions.order_version(support_dataset(cora), user=cora)
    assign_splits = freezing.assign_splits

    def assign_late(*args, **kwargs):
        elsewhere(
            order_anew, Version.objects.filter(pk=version.pk)
        )  # its lease ended, and another worker may have it
        return assign_splits(*args, **kwargs)

    monkeypatch.setattr(freezing, "assign_splits", assign_late)
    freezing.freeze(version.pk)
    version.refresh_from_db()
    assert (version.state, version.rows.count()) == ("queued", 0)
    monkeypatch.undo()
    freezing.freeze(version.pk)
    version.refresh_from_db()
    assert (version.state, version.fence) == ("succeeded", 3)


@pytest.mark.slow
def test_rules_that_change_while_rows_are_judged_have_all_of_them_judged_anew(cora, monkeypatch):
    monkeypatch.setattr(rescoring, "SLICE_ROWS", 10)
    dataset = support_dataset(cora)
    set_policy(dataset, policy.standard(), by=cora)
    late = claim(Rescoring, dataset.pk)
    assert rescoring.rescore_slice(late)
    set_policy(dataset, policy.standard().changed("too_short", on=False), by=cora)
    with pytest.raises(LostLease):
        rescoring.rescore_slice(late)
    rescoring.rescore_dataset(dataset.pk)
    order = Rescoring.objects.get()
    assert (order.state, order.done) == ("succeeded", order.total)
    assert not dataset.conversations.filter(reasons__contains=["too_short"]).exists()


def test_a_version_of_a_dataset_that_was_deleted_is_not_frozen(cora):
    dataset = support_dataset(cora)
    version = versions.order_version(dataset, user=cora)
    delete_dataset(dataset, by=cora)
    freezing.freeze(version.pk)
    version.refresh_from_db()
    assert (version.state, version.rows.count()) == ("failed", 0)
