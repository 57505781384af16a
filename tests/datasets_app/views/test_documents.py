"""The page of documents and the browser of chunks."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.html import strip_tags
from tokenizers import ByteLevelBPETokenizer

from datasets_app.corpus.chunks import layout
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.importing import import_upload
from datasets_app.models import ChunkSet, Dataset, KnownTokenizer
from datasets_app.selectors import documents as selectors
from datasets_app.services.receiving import NewUpload, receive_whole

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
GUIDE = (
    "# Orders\n\n"
    + "Ask for what you need early. " * 12
    + "\n\n# Returns\n\n"
    + "In thirty days. " * 30
)
CHOICES = {"only": "", "name": "", "strategy": "recursive", "size": "200", "overlap": "40"}


@pytest.fixture
def upload(cora):
    body = GUIDE.encode()
    found = receive_whole(NewUpload("guide.md", len(body), dataset="Guides"), body, by=cora)
    assert import_upload(found.pk)
    found.refresh_from_db()
    return found


@pytest.fixture
def page(client, cora, upload):
    """Give a function that opens or posts to the page of documents."""
    client.force_login(cora)
    address = reverse("document-list", args=[upload.dataset_id])

    def done(data=None, **more):
        if data is None:
            return client.get(address, more)
        return client.post(address, {"uploads": [str(upload.pk)], **data})

    return done


def cut_all(client, answer):
    order = ChunkSet.objects.latest("created_at")
    chunk_documents(order.pk)
    order.refresh_from_db()
    return order, client.get(answer["Location"]).content.decode()


@pytest.mark.checklist(283, 288)
def test_chunks_are_shown_before_they_are_cut_and_read_in_their_source(page, client, upload):
    shown = page().content.decode()
    assert "guide.md" in shown
    seen = page(CHOICES | {"do": "try"})
    told = seen.content.decode()
    assert (seen.status_code, ChunkSet.objects.count()) == (200, 0)
    assert "Nothing is stored yet" in told
    assert '<mark class="shared"' in told
    larger = page(CHOICES | {"do": "try", "size": "1000"}).content.decode()
    assert told.count('class="chunk-text"') > larger.count('class="chunk-text"') == 1
    answer = page(CHOICES | {"do": "cut"})
    order, shown = cut_all(client, answer)
    assert (order.name, order.state) == ("recursive 200/40", "succeeded")
    assert "1 of 1 document done" in shown
    document = order.documents.get()
    chunk = document.chunks.get(number=2)
    read = client.get(
        reverse("document-detail", args=[upload.dataset_id, document.pk]), {"chunk": 2}
    )
    told = read.content.decode()
    assert f"guide_chunk_2</code> · characters {chunk.start} to {chunk.end}" in told
    assert 'title="also in the chunk before"' in told
    assert "chunk=1" in told
    assert "chunk=3" in told
    assert chunk.start < document.chunks.get(number=1).end
    marked = told.partition("<mark")[2].partition("</mark>")[0]
    assert strip_tags(f"<mark{marked}").strip() == chunk.content
    refused = page(CHOICES | {"do": "cut", "overlap": "200"})
    assert b"The overlap is smaller than the chunk" in refused.content


@pytest.mark.checklist(286)
@pytest.mark.parametrize("strategy", ["recursive", "character", "markdown", "headings"])
def test_each_strategy_is_chosen_and_keeps_the_headings(page, client, upload, strategy):
    assert f'value="{strategy}"' in page().content.decode()
    order, _ = cut_all(client, page(CHOICES | {"do": "cut", "strategy": strategy}))
    document = order.documents.get()
    last = document.chunks.order_by("number").last()
    assert last.headings == ["Returns"]
    assert document.chunks.get(number=0).headings == ["Orders"]
    here = reverse("document-detail", args=[upload.dataset_id, document.pk])
    assert "<bdi>Returns</bdi>" in client.get(here, {"chunk": last.number}).content.decode()
    sent = client.get(reverse("chunks-download", args=[upload.dataset_id, order.pk]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(sent.streaming_content)))
    told = json.loads(archive.read("guide_chunks.json"))
    assert told["chunks"][-1]["metadata"]["Header 1"] == "Returns"


@pytest.mark.checklist(282)
def test_chunks_are_measured_in_characters_or_in_tokens_and_shown_first(page, client, data_dir):
    counted = ByteLevelBPETokenizer()
    counted.train_from_iterator([GUIDE], vocab_size=300)
    known = KnownTokenizer.objects.create(name="shop 1", path="models/shop-1")
    known.file.parent.mkdir(parents=True)
    counted.save(str(known.file))
    assert "tokens of shop 1" in page().content.decode()
    by_tokens = CHOICES | {"unit": str(known.pk), "size": "40", "overlap": "5"}
    shown = [page(one | {"do": "try"}).content.decode() for one in (CHOICES, by_tokens)]
    begins = [told.partition("characters become ")[2].split()[0] for told in shown]
    assert begins[0] != begins[1]
    order, told = cut_all(client, page(by_tokens | {"do": "cut"}))
    assert order.n_chunks == int(begins[1])
    assert "at most 40 tokens" in told
    KnownTokenizer.objects.update(path="models/gone")
    gone = page(by_tokens | {"do": "try"}).content.decode()
    assert "The tokenizer that was chosen is no longer there" in gone
    known.delete()
    assert page(by_tokens | {"do": "try"}).status_code == 422


@pytest.mark.checklist(280, 285)
def test_documents_and_folders_are_picked_and_a_log_tells_of_each(client, cora):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("guides/one.md", "# One\n\nWe open at nine.\n")
        archive.writestr("guides/two.txt", "We close at six.\n")
        archive.writestr("guides/none.txt", "--- *** ---\n")
        archive.writestr("other/three.txt", "On Sundays we rest.\n")
    new = NewUpload("all.zip", len(packed.getvalue()), dataset="Guides")
    upload = receive_whole(new, packed.getvalue(), by=cora)
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    client.force_login(cora)
    address = reverse("document-list", args=[upload.dataset_id])
    assert "4 documents" in client.get(address).content.decode()
    data = CHOICES | {"only": "guides/", "do": "cut", "uploads": [str(upload.pk)]}
    _, shown = cut_all(client, client.post(address, data))
    assert "2 of 3 documents done" in shown
    names = ChunkSet.objects.get().documents.values_list("name", flat=True)
    assert sorted(names) == ["guides/none.txt", "guides/one.md", "guides/two.txt"]
    log = shown.partition("<summary>Log</summary>")[2].partition("</details>")[0]
    lines = [" ".join(strip_tags(line).split()) for line in log.split("<li>")[1:]]
    told = {name: words for name, _, words in (line[9:].partition(": ") for line in lines)}
    assert told.keys() == {*names}
    assert told["guides/none.txt"] == "There is no word in it."
    assert told["guides/one.md"].startswith("1 chunk in 0.")
    htmx = {"HX-Request": "true", "HX-Target": "chunk-set"}
    seen = client.get(address, headers=htmx)
    assert seen["HX-Trigger-After-Settle"] == "otto:cut"  # the second step comes by itself
    part = seen.content.decode()
    assert part.lstrip().startswith('<div id="chunk-set"')


def test_a_preview_cuts_only_the_beginning_of_a_long_text_and_says_so(page, monkeypatch):
    monkeypatch.setattr(selectors, "PREVIEW_CHARACTERS", 150)
    told = " ".join(page(CHOICES | {"do": "try"}).content.decode().split())
    assert f"The first 150 of {len(GUIDE)} characters become 1 chunk," in told


def test_what_makes_no_sense_is_said_beside_its_field(page):
    for wrong, said in (
        ({"overlap": "200"}, "The overlap is smaller than the chunk"),
        ({"overlap": "101"}, "at most half of the chunk: 100 characters of 200."),
        ({"uploads": []}, "Choose at least one upload."),
        ({"size": "3"}, "greater than or equal to 20"),
        ({"only": "elsewhere/", "do": "try"}, "No document in these uploads"),
        ({"only": "elsewhere/", "do": "cut"}, "Choose at least one document."),
    ):
        answer = page(CHOICES | wrong)
        assert answer.status_code == 422
        assert said in answer.content.decode()


@pytest.mark.checklist(281, 284)
def test_a_set_is_taken_along_brought_again_and_gone_on_with(page, client, upload):
    order, _ = cut_all(client, page(CHOICES | {"do": "cut", "name": "For the shop"}))
    here = [upload.dataset_id, order.pk]
    sent = client.get(reverse("chunks-download", args=here))
    packed = b"".join(sent.streaming_content)
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert archive.namelist() == ["guide_chunks.json"]
    told = json.loads(archive.read("guide_chunks.json"))
    assert told["status"] == "completed"
    assert (
        told["metadata"].items()
        >= {
            "source_file": "guide.md",
            "chunk_count": order.n_chunks,
            "chunk_size": 200,
            "chunk_overlap": 40,
            "splitting_strategy": "recursive",
        }.items()
    )
    text = order.documents.get().text
    for number, chunk in enumerate(told["chunks"]):
        place = chunk["metadata"]
        assert chunk["chunk_id"] == f"guide_chunk_{number}"
        assert text[place["start"] : place["end"]] == chunk["content"]
    bring = reverse("chunks-bring", args=here[:1])
    file = SimpleUploadedFile("chunks.zip", packed)
    answer = client.post(bring, {"sent": file, "name": "Brought"})
    brought = ChunkSet.objects.get(name="Brought")
    assert str(brought.pk) in answer["Location"]
    places = [
        list(one.documents.get().chunks.values_list("start", "end")) for one in (order, brought)
    ]
    assert places[0] == places[1]
    none = SimpleUploadedFile("x_chunks.json", b'{"a": 1}')
    refused = client.post(bring, {"sent": none, "name": "None"})
    assert refused.status_code == 422
    assert "x_chunks.json holds no list of" in refused.content.decode()
    again, shown = cut_all(client, page(CHOICES | {"do": "cut", "name": "Again"}))
    assert again.documents.get().is_copied
    assert "already done" in shown


def test_a_set_is_stopped_tried_again_and_removed(page, client, upload):
    page(CHOICES | {"do": "cut"})
    order = ChunkSet.objects.get()
    here = reverse("chunk-set", args=[upload.dataset_id, order.pk])
    client.post(here, {"do": "stop"})
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert b"Stopped." in client.get(here, follow=True).content
    client.post(here, {"do": "retry"})
    chunk_documents(order.pk)
    order.refresh_from_db()
    assert order.state == "succeeded"
    client.post(here, {"do": "remove"})
    assert not ChunkSet.objects.exists()
    assert client.get(here).status_code == 404


def test_nobody_below_a_curator_sees_documents_and_no_other_dataset_shows_them(
    page, client, upload, mia
):
    order, _ = cut_all(client, page(CHOICES | {"do": "cut"}))
    other = Dataset.objects.create(name="Other")
    document = order.documents.get()
    for name, pk in (("chunk-set", order.pk), ("document-detail", document.pk)):
        assert client.get(reverse(name, args=[other.pk, pk])).status_code == 404
    client.force_login(mia)
    for name, *more in (
        ("document-list",),
        ("chunks-bring",),
        ("chunk-set", order.pk),
        ("chunks-download", order.pk),
        ("document-detail", document.pk),
    ):
        assert client.get(reverse(name, args=[upload.dataset_id, *more])).status_code == 403


def test_an_empty_room_names_the_next_step(client, cora):
    client.force_login(cora)
    dataset = Dataset.objects.create(name="Empty")
    assert (
        b"Upload a document first"
        in client.get(reverse("document-list", args=[dataset.pk])).content
    )


def test_without_places_the_text_is_put_together_from_the_chunks():
    contents = ["We open at nine and close at six.", "close at six. On Sundays we rest.", "Alone."]
    told = {"chunks": [{"content": one} for one in contents], "metadata": {"chunk_overlap": 20}}
    read = layout.read(json.dumps(told).encode(), "hours_chunks.json")
    assert read.is_rebuilt
    assert read.text == "We open at nine and close at six. On Sundays we rest.\n\nAlone."
    assert [read.text[one.start : one.end] for one in read.cuts] == contents
    assert read.name == "hours"
