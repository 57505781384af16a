"""From received bytes to rows: what is loaded, and what a killed worker leaves."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.source import Mapping
from datasets_app.jobs import reading
from datasets_app.jobs.importing import import_upload
from datasets_app.models import (
    Conversation,
    Dataset,
    FileState,
    Finding,
    Issue,
    Status,
    Upload,
)
from datasets_app.models.blob import blob_path
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.table import table_page
from datasets_app.services import choices, uploads
from datasets_app.services.blobs import work_path
from datasets_app.services.receiving import part_path
from otto_web.lib.work.states import State

pytestmark = pytest.mark.django_db(transaction=True)


def pairs(count, word="item"):
    lines = (
        json.dumps(
            {"input": f"Where is my {word} number {n}?", "output": f"The {word} {n} is here."}
        )
        for n in range(count)
    )
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.checklist(51, 147)
def test_jsonl_becomes_conversations_of_a_dataset_named_after_the_file(imported):
    done = imported("orders.jsonl", pairs(5))
    assert done.state == State.SUCCEEDED
    assert done.dataset.name == "orders"
    rows = Conversation.objects.filter(dataset=done.dataset).order_by("position")
    assert [row.turns[1]["text"] for row in rows] == [f"The item {n} is here." for n in range(5)]
    file = done.files.get()
    assert (file.verdict, file.n_records, file.n_total) == (FileState.LOADED, 5, file.size)
    assert file.n_loaded + file.n_skipped + file.n_failed == file.size
    assert Dataset.objects.count() == 1


def test_the_bytes_lie_read_only_under_their_hash_and_nowhere_else(imported, data_dir):
    body = pairs(3)
    done = imported("orders.jsonl", body)
    assert done.blob_id == hashlib.sha256(body).hexdigest()
    assert blob_path(done.blob_id).stat().st_mode & 0o777 == 0o440
    assert not part_path(done.pk).exists()
    assert list(work_path().iterdir()) == []


@pytest.mark.checklist(151)
def test_a_bad_line_is_listed_by_number_and_its_neighbours_load(imported):
    body = pairs(2) + b'{"input": "cut off\n' + pairs(1) + b'{"input": "Only a question?"}\n'
    file = imported("orders.jsonl", body).files.get()
    assert file.n_records == 3
    assert sorted(file.issues.values_list("line", flat=True)) == [3, 5]
    assert file.n_loaded + file.n_skipped + file.n_failed == len(body)


@pytest.mark.checklist(149)
def test_extra_fields_are_kept_beside_the_conversation(imported):
    line = {"input": "Hello there?", "output": "Hello to you too.", "timestamp": "2024", "shop": 3}
    done = imported("a.jsonl", json.dumps(line).encode() + b"\n" + pairs(1))
    row = Conversation.objects.filter(dataset=done.dataset).earliest("position")
    assert (row.meta["timestamp"], row.meta["shop"]) == ("2024", 3)


def test_rules_judge_each_row_as_it_comes_in(imported):
    lines = [
        {"input": "Where is my order?", "output": ""},
        {"input": "Where is it?", "output": "At the shop."},
    ]
    done = imported("a.jsonl", "\n".join(map(json.dumps, lines)).encode())
    empty, good = Conversation.objects.filter(dataset=done.dataset).order_by("position")
    assert (empty.status, good.status) == (Status.EXCLUDED, Status.KEPT)
    assert Finding.objects.get(conversation=empty).rule == "empty"


@pytest.mark.slow
def test_a_page_of_a_new_dataset_is_found_by_an_index_at_once(imported):
    """Nobody waits for the server to look: with a tenth of the table it would not do so at all."""
    imported("old.jsonl", pairs(600, "parcel"))
    done = imported("orders.jsonl", pairs(3_500))
    with CaptureQueriesContext(connection) as asked:
        page = table_page(done.dataset, RowFilter(sort="quality"))
    assert len(page.rows) == 50
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            plan = json.dumps(cursor.fetchone()[0])
            passed = re.findall(r'"Rows Removed by (?:Join )?Filter": (\d+)', plan)
            assert sum(map(int, passed)) < 3_500, plan
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'datasets_app_conversation'")
        assert cursor.fetchone()[0] == 4_100


def test_a_second_call_finds_nothing_to_do(imported):
    done = imported("orders.jsonl", pairs(3))
    assert not import_upload(done.pk)
    assert Conversation.objects.count() == 3


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_an_import_killed_between_batches_goes_on_and_doubles_nothing(upload, monkeypatch):
    monkeypatch.setattr(reading, "MOST_RECORDS", 10)
    found = upload("orders.jsonl", pairs(45))
    write, calls = reading._write_batch, []

    def killed_at_the_third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise Killed
        write(*args)

    monkeypatch.setattr(reading, "_write_batch", killed_at_the_third)
    with pytest.raises(Killed):
        import_upload(found.pk)
    assert Conversation.objects.count() == 20
    assert found.files.get().n_records == 20
    monkeypatch.setattr(reading, "_write_batch", write)
    assert import_upload(found.pk)
    file = found.files.get()
    assert (file.n_records, file.n_known, file.verdict) == (45, 0, FileState.LOADED)
    assert Conversation.objects.count() == 45
    positions = list(Conversation.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, 46))


def test_a_worker_that_lost_the_fence_writes_nothing_more(upload, monkeypatch):
    monkeypatch.setattr(reading, "MOST_RECORDS", 10)
    found = upload("orders.jsonl", pairs(30))
    write = reading._write_batch

    def taken_over_after_the_first(work, *args):
        write(work, *args)
        Upload.objects.filter(pk=found.pk).update(fence=99)

    monkeypatch.setattr(reading, "_write_batch", taken_over_after_the_first)
    assert not import_upload(found.pk)
    assert Conversation.objects.count() == 10


def test_a_running_import_is_not_claimed_twice_until_its_lease_has_ended(upload):
    found = upload("orders.jsonl", pairs(3))
    later = timezone.now() + timedelta(seconds=60)
    Upload.objects.filter(pk=found.pk).update(state=State.RUNNING, lease_until=later, attempts=1)
    assert not import_upload(found.pk)
    Upload.objects.filter(pk=found.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert import_upload(found.pk)


def test_an_import_that_always_loses_its_worker_stops_with_a_sentence(upload):
    found = upload("orders.jsonl", pairs(3))
    Upload.objects.filter(pk=found.pk).update(attempts=5)
    import_upload(found.pk)
    found.refresh_from_db()
    assert (found.state, found.reason) == (State.FAILED, "worker_lost")


def test_bytes_that_moved_before_a_crash_are_found_in_the_store(upload):
    body = pairs(3)
    found = upload("orders.jsonl", body)
    sha256 = hashlib.sha256(body).hexdigest()
    Upload.objects.filter(pk=found.pk).update(seen_sha256=sha256)
    blob_path(sha256).parent.mkdir(parents=True)
    part_path(found.pk).rename(blob_path(sha256))
    import_upload(found.pk)
    assert Conversation.objects.count() == 3


def test_what_was_announced_and_what_came_stand_apart(imported):
    body = pairs(3)
    sha256 = hashlib.sha256(body).hexdigest()
    done = imported("orders.jsonl", body)
    assert (done.claimed_sha256, done.seen_sha256) == ("", sha256)


def test_other_bytes_than_announced_are_refused(imported):
    done = imported("orders.jsonl", pairs(3), sha256="0" * 64)
    assert (done.state, done.reason) == (State.FAILED, "wrong_sha256")
    assert Conversation.objects.count() == 0


@pytest.mark.slow
@pytest.mark.checklist(43)
def test_known_bytes_are_noticed_and_loaded_again_only_when_asked(imported, cora):
    first = imported("orders.jsonl", pairs(3))
    second = imported("copy of orders.jsonl", pairs(3))
    assert (second.state, second.duplicate_of, second.reason) == (
        "succeeded",
        first,
        "already_uploaded",
    )
    assert Conversation.objects.count() == 3
    assert uploads.load_again(second, "another set", by=cora)
    import_upload(second.pk)
    second.refresh_from_db()
    assert second.dataset.conversations.count() == 3
    assert second.dataset.name == "another set"


def test_loading_again_into_the_same_dataset_doubles_nothing(imported):
    first = imported("orders.jsonl", pairs(3))
    second = imported("orders.jsonl", pairs(3), dataset=str(first.dataset_id), is_again=True)
    assert second.files.get().n_known == 3
    assert Conversation.objects.count() == 3


@pytest.mark.checklist(44)
def test_a_txt_that_holds_json_is_read_as_json_and_says_so(imported):
    file = imported(
        "orders.txt", json.dumps([{"input": "Hello?", "output": "Good day."}]).encode()
    ).files.get()
    assert (file.kind, file.n_records) == ("json", 1)
    assert any("read as json" in why for why in file.kind_why)


@pytest.mark.checklist(48)
def test_a_table_with_unknown_columns_waits_and_loads_once_they_are_named(imported, cora):
    body = b"colour,size\n" + b"".join(b"red number %d,big enough %d\n" % (n, n) for n in range(5))
    done = imported("things.csv", body)
    file = done.files.get()
    assert (done.state, file.verdict, file.reason) == ("succeeded", "waiting", "needs_mapping")
    assert file.waiting_for["columns"] == ["colour", "size"]
    choices.choose_columns([file], Mapping(question="colour", answer="size"), by=cora)
    assert import_upload(done.pk)
    file.refresh_from_db()
    assert (file.verdict, file.n_records, file.n_total) == ("loaded", 5, len(body))


def test_nul_and_half_characters_never_reach_the_database(imported):
    line = r'{"input": "a\u0000b question?", "output": "half \ud800 of it.", "x\u0000y": "\u0000"}'
    done = imported("odd.jsonl", f"{line}\n{line}x\n".encode())
    row = Conversation.objects.filter(dataset=done.dataset).get()
    assert row.turns[0]["text"] == "ab question?"
    assert "\ufffd" in row.turns[1]["text"]


def test_what_was_decided_in_another_program_is_decided_here(imported, cora, client_of):
    def task(label):
        result = {"from_name": "verdict", "type": "choices", "value": {"choices": [label]}}
        data = {"question": f"Is {label} a word that people know?", "answer": "Yes, it is one."}
        return {"data": data, "annotations": [{"completed_by": {"id": 7}, "result": [result]}]}

    done = imported("project-1.json", json.dumps([task("Accept"), task("Reject")]).encode())
    rows = Conversation.objects.filter(dataset=done.dataset).order_by("position")
    assert [(row.status, row.decision) for row in rows] == [
        ("kept", "keep"),
        ("excluded", "exclude"),
    ]
    page = reverse("conversation-detail", args=[done.dataset_id, rows[0].pk])
    text = " ".join(client_of(cora).get(page).content.decode().split())
    assert "decided in <bdi>Label Studio</bdi> by <bdi>7</bdi>" in text


@pytest.mark.parametrize(
    ("name", "body", "verdict", "reason"),
    [
        ("empty.jsonl", b"", "skipped", "empty"),
        ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "skipped", "unsupported_kind"),
        ("a.rtf", b"{\\rtf1 " + bytes(50), "skipped", "unsupported_kind"),
    ],
)
@pytest.mark.checklist(42)
def test_a_refused_file_says_why(imported, name, body, verdict, reason):
    done = imported(name, body)
    file = done.files.get()
    assert (done.state, file.verdict, file.reason) == ("succeeded", verdict, reason)
    assert file.note
    assert file.n_total == file.n_skipped == len(body)


@pytest.mark.slow
def test_a_reader_that_breaks_costs_one_file_and_can_be_tried_again(upload, cora, monkeypatch):
    found = upload("orders.jsonl", pairs(3))
    with monkeypatch.context() as broken:
        broken.setattr(reading.reading, "read", lambda *_, **__: 1 / 0)
        import_upload(found.pk)
    found.refresh_from_db()
    file = found.files.get()
    assert (found.state, file.verdict, file.reason) == ("failed", "failed", "own_fault")
    assert file.n_failed == file.n_total == file.size
    assert uploads.retry_upload(found, by=cora)
    import_upload(found.pk)
    file.refresh_from_db()
    assert (file.verdict, file.n_records) == ("loaded", 3)


DOCUMENT = "A first paragraph about hats.\n\nA second paragraph about shoes.\n"
MARKED = "# Returns\n\nSend it back within 30 days.\n\n# Payment\n\nBy card or by bank transfer.\n"
RST = "Returns\n=======\n\nSend it back within 30 days.\n\n.. note::\n\n   Keep the receipt.\n"
TSV = (
    "question\tanswer\nWhere is it, then?\tAt the shop, I think.\n" * 1
    + "Which one?\tThe red one.\n" * 3
)
JSON = json.dumps({"data": [{"input": "Where is it?", "output": "At the shop."}]})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "body", "kind", "wanted"),
    [
        pytest.param(
            "a.txt", DOCUMENT, "txt", "hats.\n\nA second", marks=pytest.mark.checklist(45)
        ),
        pytest.param("a.md", MARKED, "md", "# Returns", marks=pytest.mark.checklist(46)),
        pytest.param("a.rst", RST, "rst", "Send it back", marks=pytest.mark.checklist(47)),
        pytest.param("a.tsv", TSV, "tsv", "Where is it, then?", marks=pytest.mark.checklist(49)),
        ("a.json", JSON, "json", "At the shop."),
    ],
)
def test_every_kind_of_the_drop_zone_gives_rows_with_its_text(imported, name, body, kind, wanted):
    done = imported(name, body.encode())
    file = done.files.get()
    assert (file.kind, file.verdict) == (kind, "loaded")
    assert file.n_loaded + file.n_skipped + file.n_failed == len(body)
    assert any(wanted in row.text for row in Conversation.objects.filter(dataset=done.dataset))


def test_a_problem_far_behind_in_one_long_line_has_a_column(imported):
    file = imported("a.jsonl", b"{}\n").files.get()
    far = Issue.objects.create(
        source_file=file, code="bad_json", line=1, column=1 << 40, start=0, end=1, message="x"
    )
    far.refresh_from_db()
    assert far.column == 1 << 40
