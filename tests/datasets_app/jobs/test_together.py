"""Many small files of one upload: each is there whole or not at all, and costs little."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app.jobs import together
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Blob, Conversation, FileState, Upload
from datasets_app.models.blob import blob_path

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, uuid, django
django.setup()
from datasets_app.jobs.importing import import_upload
import_upload(uuid.UUID(sys.argv[1]))
"""
pytestmark = pytest.mark.django_db(transaction=True)


def pairs(word, count=1):
    told = ({"input": f"Where is {word} {n}?", "output": f"Up there, {n} m."} for n in range(count))
    return "".join(json.dumps(one) + "\n" for one in told).encode()


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in members.items():
            archive.writestr(name.replace("_", "."), body)
    return out.getvalue()


def many(count):
    return {f"f{n:03}_jsonl": pairs(f"hat {n}") for n in range(count)}


def words(upload):
    rows = Conversation.objects.filter(source_file__upload=upload).order_by("position")
    return [row.turns[0]["text"].removeprefix("Where is ").rpartition(" ")[0] for row in rows]


@pytest.mark.slow
def test_small_files_are_written_in_the_order_of_their_archive_whatever_lies_between(upload):
    unknown = b"a,b,c,d\n1,2,3,4\n5,6,7,8\n"
    members = {"a_jsonl": pairs("hat", 2), "b_csv": unknown, "c_png": b"\x89PNG\r\n\x1a\n\0\0"}
    members |= {"d_zip": zipped(e_jsonl=pairs("shoe")), "f_jsonl": pairs("scarf") + b"{broken\n"}
    found = upload("all.zip", zipped(**members))
    assert import_upload(found.pk)
    assert words(found) == ["hat"] * 2 + ["scarf", "shoe"]  # what lies deeper comes later
    files = {file.name: file for file in found.files.exclude(parent=None)}
    verdicts = {name: (str(file.verdict), file.reason) for name, file in files.items()}
    assert verdicts == {
        "a.jsonl": ("loaded", ""),
        "b.csv": ("waiting", "needs_mapping"),
        "c.png": ("skipped", "unsupported_kind"),
        "d.zip": ("loaded", ""),
        "e.jsonl": ("loaded", ""),
        "f.jsonl": ("loaded", ""),
    }
    assert files["b.csv"].waiting_for["columns"] == ["a", "b", "c", "d"]
    assert (files["a.jsonl"].encoding, files["a.jsonl"].kind) == ("utf-8", "jsonl")
    assert files["f.jsonl"].issues.get().line == 2
    assert files["f.jsonl"].n_failed == len(b"{broken\n")
    for file in files.values():
        assert file.n_loaded + file.n_skipped + file.n_failed == file.n_total
        assert (file.finished_at is None) == (file.verdict == FileState.WAITING)


@pytest.mark.slow
def test_what_the_dataset_has_already_is_counted_for_each_file(imported):
    first = imported("one.zip", zipped(a_jsonl=pairs("hat", 3)), dataset="All")
    again = imported("two.zip", zipped(b_jsonl=pairs("shoe", 2), a_jsonl=pairs("hat", 3)))
    assert first.dataset != again.dataset
    more = zipped(z_jsonl=pairs("scarf"), a_jsonl=pairs("hat", 3))
    third = imported("three.zip", more, dataset=str(first.dataset.pk))
    told = third.files.exclude(parent=None).values_list("name", "n_records", "n_known")
    assert sorted(told) == [("a.jsonl", 3, 3), ("z.jsonl", 1, 0)]
    assert Conversation.objects.filter(dataset=first.dataset).count() == 4


@pytest.mark.slow
def test_a_hundred_files_cost_few_statements(upload):
    found = upload("many.zip", zipped(**many(100)))
    with CaptureQueriesContext(connection) as asked:
        assert import_upload(found.pk)
    assert len(words(found)) == 100
    assert len(asked) < 100


def test_nothing_of_a_lost_import_is_written(upload, monkeypatch):
    found = upload("many.zip", zipped(**many(5)))

    def lose(work, read):
        Upload.objects.filter(pk=found.pk).update(fence=99)
        real(work, read)

    real = together._write
    monkeypatch.setattr(together, "_write", lose)
    assert not import_upload(found.pk)
    assert not Conversation.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("point", ["blobs.placed:kill@2", "imports.mid_copy:kill@25"])
def test_a_worker_killed_between_files_is_followed_by_one_that_does_each_once(
    point, process_env, upload, failpoint_at
):
    found = upload("many.zip", zipped(**many(30)))
    name, _, action = point.partition(":")
    env = process_env | failpoint_at(name, action).env
    command = [sys.executable, "-c", WORKER, str(found.pk)]
    worker = subprocess.run(command, env=env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    assert not Conversation.objects.exists()
    Upload.objects.update(lease_until="2000-01-01T00:00Z")
    assert import_upload(found.pk)
    assert words(found) == [f"hat {n}" for n in range(30)]
    assert set(found.files.values_list("verdict", "n_known")) == {("loaded", 0)}
    for blob in Blob.objects.all():
        assert blob_path(blob.pk).stat().st_size == blob.size
