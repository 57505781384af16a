"""An import that breaks off in the middle of a file: never called whole, always gone on with."""

from __future__ import annotations

import errno
import io
import json
import threading
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, connections
from django.urls import reverse

from datasets_app.corpus.formats.registry import FORMATS
from datasets_app.corpus.source import Gap
from datasets_app.jobs import limits, reading, unpacking
from datasets_app.jobs.importing import import_upload
from datasets_app.jobs.loading import import_here
from datasets_app.models import Conversation, FileState, Upload
from datasets_app.services import uploads, writing
from otto_web.lib.work.rows import waiting
from otto_web.lib.work.states import State

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def lines(count, word="hat"):
    rows = (
        {"input": f"Where is {word} {n}?", "output": f"It is {n} m away."} for n in range(count)
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def ten_a_batch(monkeypatch):
    monkeypatch.setattr(reading, "MOST_RECORDS", 10)


@pytest.fixture
def at_row(monkeypatch):
    """Give a function that has something done once, in the middle of COPY."""

    def planned(number, act):
        passes = []

        def look(name):
            passes.append(name)
            if len(passes) == number:
                act()

        monkeypatch.setattr(writing, "failpoint", look)

    return planned


def end_the_backend():
    """End the server process behind this thread's connection, as an administrator would."""
    mine = connections["default"].connection.info.backend_pid
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
    other.close()


def is_whole(upload, count):
    upload.refresh_from_db()
    file = upload.files.get(parent=None)
    rows = Conversation.objects.filter(dataset=upload.dataset)
    assert (upload.state, file.verdict, file.reason) == ("succeeded", "loaded", "")
    assert (file.n_records, file.n_known, file.n_total) == (count, 0, file.size)
    assert sorted(rows.values_list("position", flat=True)) == list(range(1, count + 1))
    return True


def test_a_backend_that_ends_in_the_middle_of_copy_costs_no_row(
    upload, ten_a_batch, at_row, settings
):
    settings.OTTO_BACKOFF_SECONDS = 0
    found = upload("hats.jsonl", lines(40))
    at_row(25, end_the_backend)
    with pytest.raises(OperationalError):
        import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.files.get().verdict) == ("queued", "queued")
    assert found.files.get().n_records == 20
    assert import_upload(found.pk)
    assert is_whole(found, 40)


def test_a_command_goes_on_by_itself_after_the_backend_ended(upload, ten_a_batch, at_row):
    found = upload("hats.jsonl", lines(40))
    at_row(25, end_the_backend)
    import_here(found, wait=lambda seconds: None)
    assert is_whole(found, 40)


def test_a_fault_of_otto_in_the_middle_of_copy_is_never_called_loaded(
    upload, imported, ten_a_batch, failpoint_at, cora
):
    found = upload("hats.jsonl", lines(40))
    failpoint_at("imports.mid_copy", "raise@25").arm_here()
    import_upload(found.pk)
    found.refresh_from_db()
    file = found.files.get()
    assert (found.state, file.verdict, file.reason) == ("failed", "failed", "own_fault")
    assert (file.n_records, Conversation.objects.count()) == (20, 20)
    assert "20 conversations were loaded" in found.sentence
    again = imported("hats.jsonl", lines(40), dataset="elsewhere")
    assert again.duplicate_of is None  # a part is not the whole
    assert is_whole(again, 40)
    assert uploads.retry_upload(found, by=cora)
    assert import_upload(found.pk)
    assert is_whole(found, 40)


def in_thread(do):
    """Do it where no timer can interrupt: limits are looked at behind each step instead."""

    def run():
        do()
        connections["default"].close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_passing_over_what_was_written_takes_steps_no_longer_than_writing_it(
    upload, ten_a_batch, failpoint_at, cora, settings, monkeypatch
):
    found = upload("hats.jsonl", lines(80))
    failpoint_at("imports.mid_copy", "raise@65").arm_here()
    import_upload(found.pk)
    assert found.files.get().cursor == 60
    assert uploads.retry_upload(found, by=cora)
    read, seen = reading.reading.read, []

    def counted(*args, **more):
        for item in read(*args, **more):
            seen.append(item)
            yield item

    monkeypatch.setattr(reading.reading, "read", counted)
    clock = types.SimpleNamespace(thread_time=lambda: len(seen))  # an item takes a second
    monkeypatch.setattr(limits, "time", clock)
    settings.OTTO_FILE_STEP_SECONDS = 15
    in_thread(lambda: import_upload(found.pk))
    assert is_whole(found, 80)


def test_a_file_that_broke_off_is_begun_anew_by_another_version_of_its_reader(
    upload, ten_a_batch, failpoint_at, cora, monkeypatch
):
    found = upload("hats.jsonl", lines(40) + b"no json\n")
    failpoint_at("imports.mid_copy", "raise@25").arm_here()
    import_upload(found.pk)
    assert (found.files.get().cursor, Conversation.objects.count()) == (20, 20)
    old = FORMATS["jsonl"]

    def two_items_a_record(job):
        for item in old.reader.read(job):
            yield Gap(item.start, item.start + 1)
            yield replace(item, start=item.start + 1)

    reader = replace(old.reader, version=old.reader.version + 1, read=two_items_a_record)
    monkeypatch.setitem(FORMATS, "jsonl", replace(old, reader=reader))
    assert uploads.retry_upload(found, by=cora)
    assert import_upload(found.pk)
    file = found.files.get()
    assert (file.verdict, file.n_records, file.n_known, file.n_issues) == ("loaded", 40, 0, 1)
    assert (file.n_total, file.issues.count()) == (file.size, 1)
    assert Conversation.objects.count() == 40


def test_bytes_that_are_gone_end_their_file_in_a_sentence(upload):
    found = upload("both.zip", zipped(first=lines(5), second=lines(5, "shoe")))
    unpack, at_first = reading.unpack_source, reading.blob_path

    def lose_the_second(*args, **more):
        unpack(*args, **more)
        at_first(str(found.files.get(name="second.jsonl").blob_id)).unlink()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading, "unpack_source", lose_the_second)
        assert import_upload(found.pk)
    reasons = dict(found.files.exclude(parent=None).values_list("name", "reason"))
    assert reasons == {"first.jsonl": "", "second.jsonl": "bytes_lost"}


def test_a_member_that_broke_off_is_shown_and_can_be_read_on(
    upload, ten_a_batch, failpoint_at, cora, client_of
):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("first.jsonl", lines(40))
        packed.writestr("second.jsonl", lines(5, "shoe"))
    found = upload("both.zip", archive.getvalue())
    failpoint_at("imports.mid_copy", "raise@25").arm_here()
    import_upload(found.pk)
    found.refresh_from_db()
    verdicts = dict(found.files.exclude(parent=None).values_list("name", "verdict"))
    assert found.state == State.SUCCEEDED
    assert verdicts == {"first.jsonl": FileState.FAILED, "second.jsonl": FileState.LOADED}
    page = client_of(cora).get(reverse("upload-detail", args=[found.pk])).content.decode()
    page = " ".join(page.split())
    assert "1 file was not read to the end" in page
    assert "Read it again" in page
    assert uploads.retry_upload(found, by=cora)
    import_upload(found.pk)
    assert Conversation.objects.count() == 45
    assert set(found.files.values_list("verdict", flat=True)) == {FileState.LOADED}
    assert not uploads.retry_upload(found, by=cora)


def test_text_that_the_database_refuses_costs_its_file_alone(upload, monkeypatch):
    found = upload("both.zip", zipped(a=lines(2), b=lines(3, "shoe"), c=lines(4, "scarf")))
    refused = DatabaseError("too long for a tsvector")
    refused.__cause__ = type("E", (Exception,), {"sqlstate": "54000"})()
    real = writing.searched_text

    def refuse(one):
        text = real(one.row.conversation)
        if "shoe" in text:
            raise refused
        return text

    monkeypatch.setitem(writing.CONVERSATION_COLUMNS, "text", refuse)
    assert import_upload(found.pk)
    reasons = dict(found.files.exclude(parent=None).values_list("name", "reason"))
    assert reasons == {"a.jsonl": "", "b.jsonl": "own_fault", "c.jsonl": ""}
    rows = Conversation.objects.filter(source_file__upload=found).order_by("position")
    assert [row.turns[0]["text"].split()[2] for row in rows] == ["hat"] * 2 + ["scarf"] * 4


def test_a_full_disk_is_borne_with_patience(
    upload, ten_a_batch, failpoint_at, settings, cora, client_of
):
    settings.OTTO_DISK_LOOK_SECONDS = 60
    found = upload("hats.jsonl", lines(40))
    failpoint_at("imports.mid_copy", "enospc@25").arm_here()
    import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.reason, found.attempts) == ("queued", "disk_full", 0)
    assert not import_upload(found.pk)  # not before a while has passed
    page = client_of(cora).get(reverse("upload-detail", args=[found.pk])).content.decode()
    assert "The disk is full; this goes on by itself" in page
    assert "20 conversations are loaded so far" in page
    Upload.objects.filter(pk=found.pk).update(not_before=None)
    assert import_upload(found.pk)
    assert is_whole(found, 40)


def test_a_batch_that_each_worker_dies_of_is_given_up(upload, failpoint_at):
    found = upload("hats.jsonl", lines(4))
    failpoint_at("imports.mid_copy", "eio@every").arm_here()
    for _ in range(Upload.retry.most - 1):
        with pytest.raises(OSError, match="Input/output error"):
            import_upload(found.pk)
        Upload.objects.filter(pk=found.pk).update(not_before=None)
    assert import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.files.get().reason) == ("failed", "worker_lost")


def test_a_disk_that_stays_full_is_no_crash_loop(upload, failpoint_at, settings):
    settings.OTTO_DISK_LOOK_SECONDS = 0
    found = upload("hats.jsonl", lines(4))
    failpoint_at("imports.mid_copy", "enospc@every").arm_here()
    for _ in range(12):
        import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.reason) == ("queued", "disk_full")


def zipped(**members):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, body in members.items():
            packed.writestr(f"{name}.jsonl", body)
    return archive.getvalue()


def test_unpacking_waits_for_the_room_that_the_settings_keep_free(upload, settings):
    settings.OTTO_DISK_LOOK_SECONDS = 0
    found = upload("both.zip", zipped(first=lines(5)))
    settings.OTTO_DISK_RESERVE_BYTES = 1 << 60
    import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.reason) == ("queued", "disk_full")
    settings.OTTO_DISK_RESERVE_BYTES = 0
    assert import_upload(found.pk)
    assert Conversation.objects.count() == 5


def test_a_disk_that_fills_while_unpacking_is_no_damaged_archive(upload, settings, monkeypatch):
    settings.OTTO_DISK_LOOK_SECONDS = 0
    settings.OTTO_DISK_RESERVE_BYTES = 0
    found = upload("both.zip", zipped(first=lines(5)))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as small:
        small.setattr(unpacking, "move_into_store", lambda *_: (_ for _ in ()).throw(full))
        import_upload(found.pk)
    found.refresh_from_db()
    assert found.reason == "disk_full"
    assert import_upload(found.pk)
    assert Conversation.objects.count() == 5


def test_a_member_at_which_worker_after_worker_is_lost_costs_itself_alone(upload, settings):
    settings.OTTO_BACKOFF_SECONDS = 0
    found = upload("both.zip", zipped(first=lines(5), second=lines(5, "shoe")))

    def lose(*_):
        raise OperationalError("the server closed the connection")

    real = reading.reading.read

    def read(path, *args, **more):
        return lose() if b"hat" in Path(path).read_bytes() else real(path, *args, **more)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(reading.reading, "read", read)
        for _ in range(6):  # unpacking was progress, so the first does not count
            with pytest.raises(OperationalError):
                import_upload(found.pk)
        assert import_upload(found.pk)
    reasons = dict(found.files.exclude(parent=None).values_list("name", "reason"))
    assert reasons == {"first.jsonl": "worker_lost", "second.jsonl": ""}
    assert Conversation.objects.count() == 5


def test_the_reaper_finds_what_a_full_disk_stopped(upload, failpoint_at, settings):
    settings.OTTO_DISK_LOOK_SECONDS = 0
    found = upload("hats.jsonl", lines(4))
    failpoint_at("imports.mid_copy", "enospc").arm_here()
    import_upload(found.pk)
    assert list(Upload.objects.filter(waiting())) == [found]
