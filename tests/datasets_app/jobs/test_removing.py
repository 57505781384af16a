"""What a person deleted goes in slices, survives its worker, and holds nobody up."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.chunks.settings import HEADINGS, Settings
from datasets_app.jobs import freezing, removing
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.generating import generate_pairs
from datasets_app.jobs.removing import remove_rows, remove_slice
from datasets_app.models import (
    Chunk,
    ChunkSet,
    Conversation,
    Dataset,
    Document,
    Finding,
    GenerationItem,
    Pair,
    PairGeneration,
    Removal,
    Scoring,
    Status,
    Upload,
)
from datasets_app.selectors.versions import iter_conversations
from datasets_app.services import documents, generating, removal, scoring
from datasets_app.services.datasets import create_dataset, delete_dataset
from datasets_app.services.receiving import NewUpload, create_upload, part_path
from datasets_app.services.uploads import withdraw_upload
from otto_web.celery import app
from otto_web.lib.work.claims import LostLease, claim, order_anew
from otto_web.lib.work.sweep import look_after
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from datasets_app.jobs.removing import remove_rows
remove_rows(sys.argv[1])
"""
MANY = """
INSERT INTO datasets_app_conversation (dataset_id, position, turns, text, row_hash, exact_key,
    revision, origin, origin_key, meta, status, quality, reasons, n_turns, n_words, updated_at)
SELECT %s, n, '[{"role": "user", "text": "Where?"}, {"role": "assistant", "text": "There."}]',
    'Where? There.', md5(n::text), md5(n::text), 1, 'file', 'many-' || n, '{}', 'kept', 100, '{}',
    2, 2, now()
FROM generate_series(1, %s) n
"""


def dataset_of(count, owner, name="Large"):
    made = create_dataset(name, by=owner)
    with connection.cursor() as cursor:
        cursor.execute(MANY, [made.pk, count])
    Dataset.objects.filter(pk=made.pk).update(next_position=count + 1)
    return made


@pytest.fixture
def four_a_turn(monkeypatch):
    monkeypatch.setattr(removal, "SLICE", 2)
    monkeypatch.setattr(removing, "TURN_SLICES", 2)


@pytest.fixture
def hinted(monkeypatch):
    found = []
    monkeypatch.setattr(app.tasks[Removal.job], "delay", found.append)
    return found


@pytest.mark.slow
def test_a_deleted_dataset_goes_in_turns_and_what_a_version_holds_stays(cora, four_a_turn, hinted):
    dataset, other = support_dataset(cora), create_dataset("Other", by=cora)
    add(other, [pair("Is this one here?", "Yes, it stays where it is.")])
    version = freezing.freeze_version(dataset, user=cora)
    held = version.counts["rows"]
    add(dataset, [pair("again", "and again")] * 40)
    everything = dataset.conversations.count()
    delete_dataset(dataset, by=cora)
    order = Removal.objects.get(dataset=dataset)
    assert (order.total, hinted) == (everything, [str(order.pk)])
    remove_rows(order.pk)
    order.refresh_from_db()
    assert (order.state, order.done, order.attempts) == ("queued", 4, 0)
    assert hinted == [str(order.pk)] * 2  # behind whatever waits for the worker meanwhile
    while not order.is_over:
        remove_rows(order.pk)
        order.refresh_from_db()
    assert (order.state, order.done) == ("succeeded", everything)
    assert dataset.conversations.count() == len(list(iter_conversations(version.pk))) == held
    assert Conversation.objects.filter(dataset=other).count() == 1


@pytest.mark.slow
def test_an_upload_taken_back_leaves_what_versions_hold_without_its_file(
    imported, cora, four_a_turn
):
    body = b"".join(
        b'{"input": "Where is hat %d?", "output": "It is on its way."}\n' % n for n in range(9)
    )
    upload = imported("hats.jsonl", body)
    version = freezing.freeze_version(upload.dataset, user=cora)
    again = imported("shoes.jsonl", body.replace(b"hat", b"shoe"), dataset=str(upload.dataset_id))
    for one in (upload, again):
        withdraw_upload(one, by=cora)
        while order := Removal.objects.filter(upload=one).first():
            remove_rows(order.pk)
    assert not Upload.objects.exists()
    left = set(Conversation.objects.values_list("source_file", "status", "decision"))
    assert left == {(None, Status.EXCLUDED, "exclude")}
    assert Conversation.objects.count() == len(list(iter_conversations(version.pk))) == 9


@pytest.mark.slow
def test_each_slice_of_an_upload_begins_behind_the_one_before(
    imported, cora, four_a_turn, monkeypatch
):
    body = b"".join(b'{"input": "Where is hat %d?", "output": "Here."}\n' % n for n in range(9))
    upload = imported("hats.jsonl", body)
    real, asked = removal.next_slice, []

    def next_slice(rows, *, after):
        asked.append(after)
        return real(rows, after=after)

    monkeypatch.setattr(removal, "next_slice", next_slice)
    withdraw_upload(upload, by=cora)
    while order := Removal.objects.filter(upload=upload).first():
        remove_rows(order.pk)
    assert asked == [0, 2, 4, 6, 8]
    assert not Conversation.objects.exists()


@pytest.mark.slow
def test_an_upload_taken_back_goes_from_each_dataset_that_its_rows_lie_in(
    imported, cora, four_a_turn
):
    body = b"".join(b'{"input": "Where is hat %d?", "output": "Here."}\n' % n for n in range(6))
    upload = imported("hats.jsonl", body)
    other = create_dataset("Other", by=cora)
    upload.dataset.conversations.filter(position__gt=3).update(dataset=other)
    withdraw_upload(upload, by=cora)
    while order := Removal.objects.filter(upload=upload).first():
        remove_rows(order.pk)
    assert not Conversation.objects.exists()


def test_an_upload_that_never_arrived_still_answers_until_it_expires(cora):
    upload = create_upload(NewUpload("a.txt", 10), by=cora)
    part_path(upload.pk).parent.mkdir(parents=True, exist_ok=True)
    withdraw_upload(upload, by=cora)
    part_path(upload.pk).touch()  # as if the web process had ended before it could do this
    order = Removal.objects.get()
    remove_rows(order.pk)
    order.refresh_from_db()
    assert (order.state, part_path(upload.pk).exists()) == ("succeeded", False)
    assert Upload.objects.filter(pk=upload.pk).exists()


def test_whoever_lost_a_removal_removes_nothing_more(cora):
    dataset = dataset_of(10, cora)
    delete_dataset(dataset, by=cora)
    late = claim(Removal, dataset.removal.pk)
    order_anew(Removal.objects.all())
    with pytest.raises(LostLease):
        remove_slice(late)
    assert dataset.conversations.count() == 10


def test_a_slice_that_cannot_be_committed_is_done_again_from_where_it_began(
    cora, monkeypatch, settings
):
    settings.OTTO_BACKOFF_SECONDS = 0
    dataset = support_dataset(cora)
    delete_dataset(dataset, by=cora)
    order = dataset.removal
    real = removal.remove_or_keep

    def late(ids, **kept):
        monkeypatch.undo()
        real(ids, **kept)
        raise transaction.TransactionManagementError("as a commit that is refused")

    monkeypatch.setattr(removal, "remove_or_keep", late)
    with pytest.raises(transaction.TransactionManagementError):
        remove_rows(order.pk)
    order.refresh_from_db()
    assert (order.state, order.done, order.cursor) == ("queued", 0, 0)
    remove_rows(order.pk)
    assert not dataset.conversations.exists()


@pytest.mark.slow
def test_a_removal_is_tried_until_it_is_done(cora, settings):
    settings.OTTO_BACKOFF_SECONDS = 0
    dataset = dataset_of(3, cora)
    delete_dataset(dataset, by=cora)
    for attempt in range(1, 20):
        assert claim(Removal, dataset.removal.pk).attempts == attempt
        Removal.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    remove_rows(dataset.removal.pk)
    assert not dataset.conversations.exists()


@pytest.fixture
def paired(imported, cora):
    """Two documents of two uploads, cut and asked, with scores under way."""
    guide = "# Leave {n}\n\nAnnual leave {n} is the paid time off that every employee earns.\n"
    uploads = [
        imported(f"{n}.md", guide.format(n=n).encode(), dataset="Guides") for n in ("one", "two")
    ]
    files = [file for upload in uploads for file in upload.files.all()]
    how = Settings(HEADINGS, 200, overlap=0)
    chunks = documents.order_chunks(uploads[0].dataset, "Guides", how, files, by=cora)
    chunk_documents(chunks.pk)
    pairs = generating.order_pairs(chunks, generating.Options(), by=cora)
    generate_pairs(pairs.pk)
    scoring.order_scoring(pairs.dataset, scoring.ScoringOrder(), by=cora)
    assert Pair.objects.count() == GenerationItem.objects.count() == 2
    return uploads


def removed(**what):
    while (order := Removal.objects.filter(**what).first()) and not order.is_over:
        remove_rows(order.pk)


@pytest.mark.slow
def test_the_texts_of_an_upload_go_with_it_and_those_of_others_stay(
    paired, cora, client_of, four_a_turn
):
    curator, (upload, other) = client_of(cora), paired
    page = curator.get(reverse("upload-delete", args=[upload.pk])).content.decode()
    assert "1 document will be removed" in page
    pairs = PairGeneration.objects.get()
    generating.retry_items(pairs, by=cora)
    withdraw_upload(upload, by=cora)
    pairs.refresh_from_db()
    assert (pairs.state, pairs.reason) == ("cancelled", "deleted")
    removed(upload=upload)
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert Document.objects.get().source_file.upload == other
    assert (Chunk.objects.count(), GenerationItem.objects.count(), Pair.objects.count()) == (1,) * 3
    chunks = ChunkSet.objects.get()
    assert (chunks.n_documents, chunks.n_done, chunks.n_chunks) == (1, 1, 1)


@pytest.mark.slow
def test_what_was_made_of_documents_goes_with_its_dataset_and_nothing_more_is_made(
    paired, cora, client_of, four_a_turn
):
    dataset = paired[0].dataset
    page = client_of(cora).get(reverse("dataset-settings", args=[dataset.pk])).content.decode()
    assert "2 documents cut into chunks go\n" in page
    works = (ChunkSet.objects, PairGeneration.objects, Scoring.objects)
    for work in works:
        order_anew(work.all())
    delete_dataset(dataset, by=cora)
    assert all(work.get().state == "cancelled" for work in works)
    for job, work in ((chunk_documents, works[0]), (generate_pairs, works[1])):
        order_anew(work.all())
        job(work.get().pk)
        assert (work.get().state, work.get().reason) == ("failed", "refused")
    removed(dataset=dataset)
    left = (*works, Document.objects, Chunk.objects, GenerationItem.objects, Pair.objects)
    assert not any(one.exists() for one in left)


@pytest.mark.slow
def test_pages_say_what_is_being_removed_and_look_again_until_it_is(client_of, cora, four_a_turn):
    dataset = dataset_of(1_500, cora)
    curator = client_of(cora)
    curator.post(reverse("dataset-delete", args=[dataset.pk]))
    remove_rows(dataset.removal.pk)
    for page in ("dataset-list", "upload-list"):
        said = curator.get(reverse(page)).content.decode()
        assert "Large" in said
        assert "4 of 1,500" in said
    look = {"HX-Request": "true", "HX-Target": "removals"}
    fragment = curator.get(reverse("dataset-list"), headers=look).content.decode()
    assert fragment.lstrip().startswith('<div id="removals"')
    assert "every 2s" in fragment
    Removal.objects.update(state="succeeded", finished_at=timezone.now())
    fragment = curator.get(reverse("dataset-list"), headers=look).content.decode()
    assert "hx-get" not in fragment


@pytest.mark.slow
def test_a_worker_killed_in_a_slice_is_followed_by_another(
    process_env, cora, failpoint_at, hinted, settings
):
    rows, whole = 60_000, 2 * removal.SLICE
    dataset, other = dataset_of(rows, cora), dataset_of(10, cora, name="Other")
    row = dataset.conversations.order_by("position").first()
    Finding.objects.create(
        conversation=row, turn=1, rule="empty", rule_version=1, severity="E", value=0, threshold=1
    )
    delete_dataset(dataset, by=cora)
    order = dataset.removal
    point = failpoint_at("removals.mid_slice", "kill@3")
    command = [sys.executable, "-c", WORKER, str(order.pk)]
    worker = subprocess.run(command, env=process_env | point.env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    order.refresh_from_db()
    assert (order.done, dataset.conversations.count()) == (whole, rows - whole)
    remove_rows(order.pk)  # its lease still runs
    assert dataset.conversations.count() == rows - whole
    settings.OTTO_BACKOFF_SECONDS = 0
    Removal.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    hinted.clear()
    look_after(Removal, timezone.now() + timedelta(minutes=1))
    assert hinted == [str(order.pk)]
    while not order.is_over:
        remove_rows(order.pk)
        order.refresh_from_db()
    assert (order.state, order.done) == ("succeeded", rows)
    assert not Finding.objects.exists()
    assert Conversation.objects.count() == other.conversations.count() == 10
