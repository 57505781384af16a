"""From received bytes to rows: what is loaded, and what a killed worker leaves."""

from __future__ import annotations

import json

import pytest

from datasets_app.blobs import blob_path
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, Dataset, UploadState, Verdict
from datasets_app.services.uploads import NewUpload, part_path, receive_whole

pytestmark = pytest.mark.django_db(transaction=True)


def upload(name, body, by, **more):
    return receive_whole(NewUpload(name, len(body), **more), body, by=by)


def imported(name, body, by, **more):
    found = upload(name, body, by, **more)
    assert import_upload(found.pk)
    found.refresh_from_db()
    return found


def pairs(count, word="item"):
    lines = (
        json.dumps(
            {"input": f"Where is my {word} number {n}?", "output": f"The {word} {n} is here."}
        )
        for n in range(count)
    )
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.checklist(51, 149)
def test_jsonl_becomes_conversations_of_a_dataset_named_after_the_file(
    cora, redis_server, data_dir
):
    done = imported("orders.jsonl", pairs(5), cora)
    assert done.state == UploadState.READY
    assert done.dataset.name == "orders"
    rows = Conversation.objects.filter(dataset=done.dataset).order_by("position")
    assert [row.turns[1]["text"] for row in rows] == [f"The item {n} is here." for n in range(5)]
    file = done.files.get()
    assert (file.verdict, file.n_records, file.n_total) == (Verdict.LOADED, 5, file.size)
    assert file.n_loaded + file.n_skipped + file.n_failed == file.size
    assert blob_path(done.blob_id).stat().st_mode & 0o777 == 0o440
    assert not part_path(done.pk).exists()
    assert Dataset.objects.count() == 1
