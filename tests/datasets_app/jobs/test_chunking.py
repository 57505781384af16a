"""Documents become chunks, whoever dies on the way and whatever a document holds."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.corpus.chunks.settings import HEADINGS, ChunkError, Settings
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.models import Chunk, ChunkSet, Document, SourceFile
from datasets_app.services import documents
from tests.datasets_app.office import word
from tests.datasets_app.papers import lines, pdf

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from datasets_app.jobs.chunking import chunk_documents
chunk_documents(sys.argv[1])
"""
SCANNED = pdf(b"q 100 0 0 100 72 600 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q")
GUIDE = (
    "# Orders\n\nAsk early.\n\n## Paying\n\nBy card or in cash.\n\n# Returns\n\nIn thirty days.\n"
)


@pytest.fixture
def ordered(imported, cora):
    """Give a function that uploads files and orders chunks of them."""

    def done(files, settings=None, name="Chunks"):
        found, dataset = [], None
        for file, body in files.items():
            upload = imported(file, body, dataset="Guides")
            dataset = dataset or upload.dataset
            found += upload.files.exclude(blob=None)
        how = settings or Settings(HEADINGS, 100, overlap=20)
        return documents.order_chunks(dataset, name, how, found, by=cora)

    return done


def cut_to_the_end(order):
    while not order.is_over:
        chunk_documents(order.pk)
        order.refresh_from_db()
    return order


@pytest.mark.checklist(287)
def test_each_format_gives_its_text_and_what_is_bad_or_slow_says_why(ordered, settings):
    page = (
        "<html><body><main><h1>Travel</h1><p>Ask before you book a train.</p></main></body></html>"
    )
    order = cut_to_the_end(
        ordered(
            {
                "plain.txt": b"The shop is open from nine to six on all days but Sunday.",
                "guide.md": GUIDE.encode(),
                "guide.rst": b"Hours\n=====\n\nNine to six.\n\nDays\n----\n\nNot Sunday.\n",
                "page.html": page.encode(),
                "paper.docx": word("# Leave", "Twenty days a year."),
                "paper.pdf": pdf(lines("Sick days are paid."), lines("Ask your lead first.")),
                "scan.pdf": SCANNED,
                "call.srt": b"1\n00:00:01,000 --> 00:00:02,000\nWelcome to the tour.\n",
            }
        )
    )
    assert (order.state, order.n_done, order.n_failed) == ("partial", 7, 1)
    told = {
        one.name: [(chunk.content, chunk.headings, chunk.place) for chunk in chunks_of(one)]
        for one in order.documents.all()
    }
    assert told["guide.md"] == [
        ("# Orders\n\nAsk early.", ["Orders"], "lines 1 to 3"),
        ("## Paying\n\nBy card or in cash.", ["Orders", "Paying"], "lines 5 to 7"),
        ("# Returns\n\nIn thirty days.", ["Returns"], "lines 9 to 11"),
    ]
    assert [headings for _, headings, _ in told["guide.rst"]] == [["Hours"], ["Hours", "Days"]]
    assert told["page.html"][0][1:] == (["Travel"], "section 1 (“Travel”)")
    assert told["paper.docx"] == [
        ("# Leave\n\nTwenty days a year.", ["Leave"], "paragraph 1 to paragraph 2")
    ]
    assert told["paper.pdf"][0][2] == "page 1 to page 2"
    assert told["call.srt"] == [("Welcome to the tour.", [], "00:00:01,000")]
    assert order.n_chunks == sum(map(len, told.values())) == Chunk.objects.count()
    assert Chunk.objects.filter(document__name="guide.md").first().chunk_id == "guide_chunk_0"
    bad = order.documents.get(name="scan.pdf")
    assert (bad.state, bad.n_chunks) == ("failed", 0)
    assert "pictures of its pages and no text" in bad.reason
    settings.OTTO_DOCUMENT_SECONDS = 0
    slow = cut_to_the_end(ordered({"slow.txt": b"Nobody waits for this."}, name="Slow"))
    assert (slow.state, slow.message) == ("failed", documents.NOTHING_CUT)
    assert "took longer than 0 seconds, so it was passed over" in slow.documents.get().reason
    settings.OTTO_DOCUMENT_SECONDS = 60
    assert documents.retry_failed(slow, by=slow.created_by)
    assert cut_to_the_end(ChunkSet.objects.get(pk=slow.pk)).state == "succeeded"


def chunks_of(document):
    return document.chunks.select_related("document").order_by("number")


def test_what_cannot_be_cut_says_why_and_the_rest_goes_on(ordered):
    locked = pdf(lines("Secret."), trailer=b"/Encrypt << /Filter /Standard /V 9 >>")
    files = {"locked.pdf": locked, "marks.txt": b"--- *** ---\n", "good.txt": b"We open at nine."}
    order = cut_to_the_end(ordered(files))
    assert (order.state, order.n_done, order.n_failed) == ("partial", 1, 2)
    told = {one.name: one.reason for one in order.documents.filter(state="failed")}
    assert told["locked.pdf"]
    assert told["marks.txt"] == "There is no word in it."


def test_a_file_that_is_told_in_another_encoding_is_cut_anew(ordered):
    order = cut_to_the_end(ordered({"menu.txt": "Caf\xe9 opens at nine.".encode("latin-1")}))
    file, how = SourceFile.objects.get(), Settings.from_json(order.settings)
    assert order.documents.get().text.startswith("Café")
    SourceFile.objects.update(chosen_encoding="cp1250")  # as if a person had chosen it
    file.refresh_from_db()
    for name in (order.name, "Other"):
        found = documents.order_chunks(order.dataset, name, how, [file], by=None)
        cut_to_the_end(found)
        newest = found.documents.order_by("number").last()
        assert (newest.encoding, newest.source_file) == ("cp1250", file)
        documents.order_chunks(order.dataset, name, how, [file], by=None)
    assert list(order.documents.values_list("encoding", "is_copied")) == [
        ("", False),
        ("cp1250", False),
    ]
    assert found.documents.get().is_copied  # it is cut by now


def test_what_was_cut_in_the_same_way_is_not_done_again(ordered, monkeypatch):
    order = cut_to_the_end(ordered({"guide.md": GUIDE.encode()}))
    first = list(Chunk.objects.values_list("pk", flat=True))
    again = cut_to_the_end(ordered({"guide.md": GUIDE.encode(), "more.txt": b"We open at nine."}))
    assert again == order
    assert again.n_done == 2
    assert set(first) < set(Chunk.objects.values_list("pk", flat=True))
    monkeypatch.setattr("datasets_app.jobs.chunking._made", None)  # nothing is read for a copy
    files = SourceFile.objects.filter(documents__chunk_set=order)
    how = Settings.from_json(order.settings)
    other = documents.order_chunks(order.dataset, "Other", how, files, by=None)
    cut_to_the_end(other)
    assert other.documents.filter(is_copied=True).count() == 2
    places = Chunk.objects.values_list("start", "end", "headings", "place").order_by("pk")
    mine, theirs = (sorted(places.filter(document__chunk_set=one)) for one in (other, order))
    assert mine == theirs
    with pytest.raises(ChunkError, match="cut in another way"):
        documents.order_chunks(order.dataset, "Other", Settings(), files, by=None)
    with pytest.raises(ChunkError, match="at least one"):
        documents.order_chunks(order.dataset, "None", Settings(), [], by=None)


def test_a_worker_killed_anywhere_five_times_doubles_and_loses_nothing(
    ordered, process_env, failpoint_at, settings
):
    settings.OTTO_BACKOFF_SECONDS = 0
    texts = {f"{n}.md": (GUIDE + f"\n# Number {n}\n\nThis is {n}.\n").encode() for n in range(3)}
    order = ordered(texts)
    points = ("chunks.next_document@2", "chunks.mid_document@1", "chunks.mid_document@1")
    for point in (*points, "chunks.next_document@1", "chunks.mid_document@2"):
        name, _, number = point.partition("@")
        env = process_env | failpoint_at(name, f"kill@{number}").env
        command = [sys.executable, "-c", WORKER, str(order.pk)]
        worker = subprocess.run(command, env=env, cwd=ROOT, check=False)
        assert worker.returncode == -signal.SIGKILL
        ChunkSet.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    order.refresh_from_db()
    cut_to_the_end(order)
    assert (order.state, order.n_done, order.n_chunks) == ("succeeded", 3, 12)
    for document in Document.objects.all():
        assert [chunk.number for chunk in chunks_of(document)] == [0, 1, 2, 3]
        assert chunks_of(document).last().content.startswith("# Number")
