"""A worker process killed in the middle of an import, and the one that takes over."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, Upload
from otto_web.celery import app
from otto_web.lib.work.states import State
from otto_web.lib.work.sweep import look_after

ROOT = Path(__file__).resolve().parents[3]
ROWS, SLICE = 12_000, 2_000
WORKER = """
import sys, uuid, django
django.setup()
from datasets_app.jobs.importing import import_upload
import_upload(uuid.UUID(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_any_row_is_followed_by_another_that_doubles_nothing(
    process_env, upload, failpoint_at
):
    lines = (
        {"input": f"Where is hat {n}?", "output": f"Hat {n} is on its way."} for n in range(ROWS)
    )
    found = upload("hats.jsonl", "\n".join(map(json.dumps, lines)).encode())
    point = failpoint_at("imports.mid_copy", f"kill@{2 * SLICE + 500}")
    command = [sys.executable, "-c", WORKER, str(found.pk)]
    worker = subprocess.run(command, env=process_env | point.env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    assert Conversation.objects.count() == 2 * SLICE
    Upload.objects.update(lease_until=timezone.now() + timedelta(hours=1))
    assert not import_upload(found.pk)  # its lease still runs
    Upload.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert import_upload(found.pk)
    found.refresh_from_db()
    file = found.files.get()
    assert found.state == State.SUCCEEDED
    assert (file.n_records, file.n_known) == (ROWS, 0)
    assert file.n_loaded + file.n_skipped + file.n_failed == file.size
    texts = set(Conversation.objects.values_list("text", flat=True))
    assert len(texts) == Conversation.objects.count() == ROWS


@pytest.mark.django_db(transaction=True)
def test_the_sweep_hints_again_for_uploads_that_nobody_reads(upload, redis_server, monkeypatch):
    found = upload("hats.jsonl", b'{"input": "Where is it now?", "output": "It is here."}\n')
    hinted = []
    monkeypatch.setattr(app.tasks["datasets.import_upload"], "delay", hinted.append)
    look_after(Upload, timezone.now() + timedelta(minutes=1))
    assert hinted == [str(found.pk)]
