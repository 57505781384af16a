"""Reading that never comes back by itself: the file ends, its siblings load."""

from __future__ import annotations

import io
import re
import threading
import zipfile

import pytest
from django.db import connection

from datasets_app.jobs import reading, unpacking
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, Upload
from datasets_app.services.uploads import withdraw_upload
from otto_web.lib.work import keeper
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.states import State

pytestmark = pytest.mark.django_db(transaction=True)
ROW = b'{"input": "Where is the %s, please?", "output": "It is on the shelf."}\n'


@pytest.fixture
def endless(monkeypatch):
    """Make the look at a file named `endless…` one search that takes years; tell when it begins."""
    begun, real = threading.Event(), reading.identify

    def look(path, name, **chosen):
        if name.startswith("endless"):
            begun.set()
            re.match(r"(a|a)*$", "a" * 60 + "b")
        return real(path, name, **chosen)

    monkeypatch.setattr(reading, "identify", look)
    return begun


@pytest.mark.slow
def test_a_file_that_takes_too_long_ends_and_its_siblings_load(upload, endless, settings):
    settings.OTTO_FILE_STEP_SECONDS = 0.1
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("endless.jsonl", ROW % b"hat")
        packed.writestr("good.jsonl", ROW % b"shoe")
    found = upload("both.zip", archive.getvalue())
    assert import_upload(found.pk)
    reasons = dict(found.files.exclude(parent=None).values_list("name", "reason"))
    assert reasons == {"endless.jsonl": "too_slow", "good.jsonl": ""}
    assert Conversation.objects.count() == 1


@pytest.mark.slow
def test_judging_that_takes_too_long_ends_the_file(upload, settings, monkeypatch):
    settings.OTTO_FILE_STEP_SECONDS = 0.1
    found = upload("hats.jsonl", ROW % b"hat")
    monkeypatch.setattr(
        "datasets_app.services.writing.judge", lambda *_: re.match(r"(a|a)*$", "a" * 60 + "b")
    )
    assert import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.files.get().reason) == (State.FAILED, "too_slow")
    assert not Conversation.objects.exists()


@pytest.mark.slow
def test_a_deleted_upload_frees_its_worker(upload, endless, cora, monkeypatch):
    monkeypatch.setattr(keeper, "LONGEST_BEAT_SECONDS", 0.05)
    found = upload("endless.jsonl", ROW % b"hat")

    def delete():
        endless.wait(300)
        withdraw_upload(found, by=cora)
        connection.close()

    person = threading.Thread(target=delete)
    person.start()
    assert not import_upload(found.pk)
    person.join()
    assert Upload.objects.get(pk=found.pk).state == State.CANCELLED


@pytest.mark.slow
def test_a_text_of_blank_lines_is_read_at_once(imported):
    done = imported("blank", b"a\n" + b"\n" * 100_000 + b"b\n")
    assert done.state == State.SUCCEEDED
    assert (done.files.get().kind, done.files.get().n_records) == ("txt", 2)


def test_whether_an_import_is_still_wanted_is_asked_without_a_statement(
    django_assert_num_queries,
):
    lease = keeper.Lease()
    should_stop = unpacking.stop_flag(lease.touch)
    with django_assert_num_queries(0):
        assert not should_stop()
    lease.is_lost = True
    with pytest.raises(LostLease):
        should_stop()
