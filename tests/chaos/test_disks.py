"""A disk that is full or became read-only while OTTO works: said, waited for, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app.models import Conversation, Upload
from datasets_app.services.receiving import NewUpload, create_upload, receive_whole
from otto_web.lib.work.states import State
from tests import namespaces
from tests.training_app.conftest import ROOT, SUPERVISE, make_version, toy_order
from training_app.jobs.exit_reason import DISK_TAKES_NOTHING
from training_app.lm.folder import open_model, verify_model
from training_app.models import Export, Run, TrainedModel, paths
from training_app.services.exports import order_export
from training_app.services.runs import queue_run

pytestmark = pytest.mark.slow
ROWS = 300
WORK = """
import sys, django
django.setup()
from otto_web.jobs import JOBS
JOBS[sys.argv[1]].load()(sys.argv[2])
"""
SEND = """
import io, sys, django
django.setup()
from datasets_app.models import Upload
from datasets_app.services.receiving import Chunk, UploadError, write_chunk
found = Upload.objects.get(pk=sys.argv[1])
try:
    write_chunk(found.pk, Chunk(found.offset, 4, io.BytesIO(b"more")), by=found.created_by)
except UploadError as error:
    print(error.status, error)
"""


@pytest.fixture
def work(process_env):
    """Give a function that runs a script to its end, perhaps on a disk of its own."""

    def done(script, *words, on=()):
        command = [*on, sys.executable, "-c", script, *map(str, words)]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=process_env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return done


def now(rows):
    """Let work that waits for its pause be taken at once."""
    rows.update(not_before=timezone.now() - timedelta(seconds=1))


def test_a_piece_is_refused_in_words_and_taken_once_the_disk_takes_it(work, data_dir, cora):
    found = create_upload(NewUpload("hats.txt", 8), by=cora)
    (data_dir / "parts").mkdir()
    said = work(SEND, found.pk, on=namespaces.read_only(data_dir)).stdout
    assert said == "507 The disk did not take this piece. It can be sent again later.\n"
    found.refresh_from_db()
    assert (found.state, found.offset) == (State.RECEIVING, 0)
    work(SEND, found.pk)
    found.refresh_from_db()
    assert found.offset == 4


def test_an_import_waits_for_a_read_only_disk_and_then_loads_everything(work, data_dir, cora):
    rows = ({"input": f"Where is hat {n}?", "output": f"Hat {n} is here."} for n in range(ROWS))
    body = "\n".join(map(json.dumps, rows)).encode()
    found = receive_whole(NewUpload("hats.jsonl", len(body)), body, by=cora)
    work(WORK, "datasets.import_upload", found.pk, on=namespaces.read_only(data_dir))
    found.refresh_from_db()
    assert (found.state, found.reason, found.attempts) == (State.QUEUED, "disk_full", 0)
    assert found.message.startswith("The disk is read-only;")
    now(Upload.objects.filter(pk=found.pk))
    work(WORK, "datasets.import_upload", found.pk)
    found.refresh_from_db()
    assert (found.state, Conversation.objects.count()) == (State.SUCCEEDED, ROWS)


def finish(work, run):
    now(Run.objects.filter(pk=run.pk))
    work(SUPERVISE)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED, (run.state, run.message)
    verify_model(paths.absolute(run.model.path))
    open_model(paths.absolute(run.model.path))


def test_a_run_waits_for_a_read_only_disk_and_then_ends_well(work, data_dir):
    run = queue_run(toy_order(make_version()), created_by=None)
    work(SUPERVISE, on=namespaces.read_only(data_dir))
    run.refresh_from_db()
    assert (run.state, run.reason, run.message) == (State.QUEUED, "disk", DISK_TAKES_NOTHING)
    finish(work, run)


@pytest.mark.chaos
def test_a_model_that_finds_no_room_is_published_once_there_is_some(work, data_dir):
    run = queue_run(toy_order(make_version()), created_by=None)
    (data_dir / paths.MODELS).mkdir()
    work(SUPERVISE, on=namespaces.small(data_dir / paths.MODELS, "64k"))
    run.refresh_from_db()
    assert (run.state, run.reason, run.message) == (State.QUEUED, "disk", DISK_TAKES_NOTHING)
    assert run.checkpoints.exists()
    assert not TrainedModel.objects.exists()
    finish(work, run)
    assert run.attempts == 2


def test_an_export_that_finds_no_room_is_made_once_there_is_some(work, data_dir, toy_model, theo):
    export = order_export(toy_model, "onnx", by=theo)
    (data_dir / "exports").mkdir()
    work(WORK, Export.job, export.pk, on=namespaces.small(data_dir / "exports", "64k"))
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.QUEUED, "disk_full")
    assert export.message.startswith("The disk is full;")
    now(Export.objects.filter(pk=export.pk))
    work(WORK, Export.job, export.pk)
    export.refresh_from_db()
    assert export.state == State.SUCCEEDED
    assert [path.name for path in (data_dir / "exports").rglob("*.onnx")] == ["model.onnx"]
    assert not list((data_dir / "exports").rglob("*.tmp"))
