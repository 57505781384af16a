"""A folder of documents becomes pairs, a version and a run, whoever dies on the way."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from chat_app.serving.errors import ServingError
from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.conversation import USER, CorpusError, Turn
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.generating import generate_pairs
from datasets_app.jobs.loading import import_here
from datasets_app.knowledge.known import KnownAnswers
from datasets_app.models import (
    ChunkSet,
    Conversation,
    Dataset,
    PairGeneration,
    Provider,
    Scoring,
    Upload,
    Version,
)
from datasets_app.selectors.knowledge import key_of
from datasets_app.services.documents import order_chunks
from datasets_app.services.generating import Options, order_pairs
from datasets_app.services.receiving import NewUpload, receive_whole
from datasets_app.services.scoring import ScoringOrder, order_scoring
from otto_web.lib.work.claims import claim, renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs import document_steps
from otto_web.loop.jobs.pipeline_steps import STEPS
from otto_web.loop.jobs.pipelines import advance
from otto_web.loop.models import Pipeline
from otto_web.loop.services.pipelines import (
    Documents,
    PipelineOrder,
    retry_pipeline,
    start_pipeline,
)
from tests.datasets_app.provider_server import GOOD, provider
from tests.datasets_app.web_server import page, serving
from training_app.models import Run

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PLACES = ("Berlin", "Lisbon", "Oslo", "Quito", "Seoul", "Tunis", "Vienna", "Zagreb")
HOURS = """\
# The office in {place}

## Opening hours

The office in {place} opens at {hour} in the morning. You may come on any working day.

## Leave in {place}

Annual leave in {place} is the paid time off that every employee earns in a year.
Employees in {place} get {days} days of annual leave.

## Lost cards in {place}

If you lose your card in {place}, call the desk at once and say your name.
"""


@pytest.fixture
def handbook(tmp_path):
    folder = tmp_path / "handbook"
    (folder / "offices").mkdir(parents=True)
    for number, place in enumerate(PLACES):
        text = HOURS.format(place=place, hour=7 + number % 4, days=20 + number)
        (folder / "offices" / f"{place.lower()}.md").write_text(text, "utf-8")
    (folder / ".hidden.md").write_text("# Hidden\n\nNobody reads this.")
    return folder


def order(folder, **more):
    documents = Documents(folder=str(folder), chunk_size=400, chunk_overlap=0, **more)
    return PipelineOrder(preset="tiny", steps=5, documents=documents)


@pytest.mark.checklist(348, 349, 351, 352, 353)
def test_a_folder_becomes_pairs_a_version_and_a_run(handbook, theo, data_dir):
    pipeline = start_pipeline(order(handbook, questions=2, passing=9.0, threshold=5.0), by=theo)
    while pipeline.run is None and advance(pipeline.pk):
        pipeline.refresh_from_db()
    states = dict(pipeline.steps.values_list("name", "state"))
    assert "load" not in states
    done = ("documents", "chunk", "generate", "judge", "choose", "check", "freeze")
    assert {states[name] for name in done} == {State.SUCCEEDED}
    chunks, pairs, scoring = (
        ChunkSet.objects.get(),
        PairGeneration.objects.get(),
        Scoring.objects.get(),
    )
    assert (chunks.n_documents, chunks.settings["size"]) == (len(PLACES), 400)
    assert (pairs.questions, pairs.by, pairs.dataset) == (2, "built-in", pipeline.dataset)
    assert (float(scoring.passing), float(scoring.failing)) == (9.0, 7.0)
    version = Version.objects.get()
    assert (version.scoring, float(version.threshold)) == (scoring, 5.0)
    passages = pipeline.dataset.conversations.filter(is_passage=True).count()
    assert passages == len(PLACES)
    scored = scoring.scores.filter(overall__gte=5).count()
    assert version.counts["rows"] == scored + passages > passages
    assert Run.objects.get().version == version
    notes = dict(pipeline.steps.values_list("name", "note"))
    assert notes["documents"].startswith(f"{len(PLACES)} documents")
    assert "made by built-in" in notes["generate"]


def test_documents_are_quoted_with_their_page_and_nothing_is_trained(handbook, theo, data_dir):
    pipeline = claim(Pipeline, start_pipeline(order(handbook, quotes=True), by=theo).pk)
    names = list(pipeline.steps.order_by("number").values_list("name", flat=True))
    assert not {"base", "train", "evaluate", "export", "onnx"} & set(names)
    for name in names[: names.index("deploy") + 1]:  # what asks then needs an engine
        STEPS[name](pipeline)
    deployment = pipeline.deployment
    assert (deployment.is_quoting, deployment.model) == (True, None)
    asked = [Turn(USER, f"Whom do I call if my card is lost in {PLACES[0]}?")]
    known = KnownAnswers().find(key_of(deployment.knowledge), asked)
    assert known.found[0].piece.source.startswith(f"{PLACES[0].lower()} — ")
    assert "call the desk" in known.quote.text


def test_steps_that_are_done_again_after_a_crash_make_nothing_twice(handbook, theo, data_dir):
    pipeline = claim(Pipeline, start_pipeline(order(handbook), by=theo).pk)
    for _ in range(2):
        document_steps.documents(pipeline)
        renew(pipeline, options={**pipeline.options, "uploads": []})  # it died before it kept them
        document_steps.documents(pipeline)
        for step in (document_steps.chunk, document_steps.generate, document_steps.judge):
            step(pipeline)
    assert Dataset.objects.count() == 1  # of the documents and their pairs
    assert (
        ChunkSet.objects.count() == PairGeneration.objects.count() == Scoring.objects.count() == 1
    )
    assert Conversation.objects.filter(dataset=pipeline.dataset, is_passage=False).count() == (
        PairGeneration.objects.get().n_new
    )


def test_what_others_order_of_its_dataset_is_not_taken_for_its_own(handbook, theo, data_dir):
    pipeline = claim(Pipeline, start_pipeline(order(handbook), by=theo).pk)
    document_steps.documents(pipeline)
    files = Upload.objects.get().files.exclude(kind="zip")[:1]
    others = order_chunks(pipeline.dataset, document_steps.CHUNKS, Settings(), files, by=theo)
    chunk_documents(others.pk)
    pairs = order_pairs(others, Options(), by=theo)
    generate_pairs(pairs.pk)
    scoring = order_scoring(pipeline.dataset, ScoringOrder(), by=theo)
    for name in ("chunk", "generate", "judge", "choose"):
        getattr(document_steps, name)(pipeline)
    pipeline = Pipeline.objects.get()
    own = [pipeline.options[name] for name in ("chunk_set", "generation", "scoring")]
    assert not {str(others.pk), str(pairs.pk), str(scoring.pk)} & set(own)
    assert ChunkSet.objects.get(pk=own[0]).n_documents == len(PLACES)
    assert str(PairGeneration.objects.get(pk=own[1]).chunk_set_id) == own[0]
    assert str(document_steps.scoring_of(pipeline).pk) == own[2]
    Scoring.objects.filter(pk=own[2]).delete()
    with pytest.raises(ServingError, match="was deleted"):
        document_steps.choose(pipeline)


@pytest.mark.checklist(356)
def test_a_step_that_failed_says_why_and_goes_on_from_there_once_that_is_mended(
    tmp_path, theo, data_dir, handbook, client_of
):
    """An empty folder, and then a threshold that nothing reaches: a sentence each."""
    empty = tmp_path / "later"
    empty.mkdir()
    pipeline = start_pipeline(order(empty, threshold=10.0), by=theo)
    assert not advance(pipeline.pk)
    failed = pipeline.steps.get(state=State.FAILED)
    assert (failed.name, "is empty" in failed.note) == ("documents", True)
    page = client_of(theo).get(reverse("pipeline-detail", args=[pipeline.pk])).text
    assert 'class="step step-failed"' in page
    assert re.search(r'<p class="error">\s*<bdi>The folder', page)
    assert "Continue from here" in page
    (empty / "lorem.txt").write_text("la la la " * 60)
    client_of(theo).post(reverse("pipeline-retry", args=[pipeline.pk]))
    assert not advance(pipeline.pk)
    failed = pipeline.steps.get(state=State.FAILED)
    assert failed.name == "generate"
    assert failed.note == PairGeneration.objects.get().message
    assert pipeline.steps.get(name="chunk").state == State.SUCCEEDED
    retry_pipeline(pipeline, by=theo)
    assert not advance(pipeline.pk)  # nothing was mended: the same sentence, and no second order
    assert PairGeneration.objects.count() == 1


def test_a_folder_is_packed_once_and_without_what_its_links_lead_to(
    handbook, tmp_path, theo, data_dir, monkeypatch
):
    (tmp_path / "secret.md").write_text("# Secret\n\nThis lies elsewhere.")
    (handbook / "out.md").symlink_to(tmp_path / "secret.md")
    (handbook / "in.md").symlink_to(handbook / "offices" / "oslo.md")
    pipeline = claim(Pipeline, start_pipeline(order(handbook), by=theo).pk)
    packed, real = [], document_steps.load_path
    with monkeypatch.context() as patch:
        patch.setattr(
            document_steps, "load_path", lambda *a, **k: packed.append(a) or real(*a, **k)
        )
        for _ in range(2):
            renew(pipeline, options={**pipeline.options, "uploads": []})
            document_steps.documents(pipeline)
    names = set(Upload.objects.get().files.values_list("name", flat=True))
    assert len(packed) == 1
    assert any(name.endswith("in.md") for name in names)
    assert not any(name.endswith("out.md") for name in names)


def test_an_unknown_provider_and_a_gone_folder_are_sentences(tmp_path, theo, data_dir, handbook):
    pipeline = claim(Pipeline, start_pipeline(order(handbook, provider="Nobody"), by=theo).pk)
    document_steps.documents(pipeline)
    document_steps.chunk(pipeline)
    with pytest.raises(CorpusError, match="There is no provider “Nobody”"):
        document_steps.generate(pipeline)
    gone = claim(Pipeline, start_pipeline(order(tmp_path / "gone"), by=theo).pk)
    with pytest.raises(CorpusError, match="There is no folder"):
        document_steps.documents(gone)


@pytest.mark.checklist(348, 349, 351, 352, 353)
def test_the_page_begins_with_documents_too(theo, data_dir, client_of):
    body = HOURS.format(place="Berlin", hour=8, days=20).encode()
    upload = import_here(receive_whole(NewUpload("berlin.md", len(body)), body, by=theo))
    address = reverse("pipeline-new")
    page = client_of(theo).get(address).content.decode()
    assert "Begin with documents instead, or with pages from the web" in page
    sent = {"uploads": [str(upload.pk)], "chunk_size": "300", "threshold": "0", "way": "tiny"}
    assert client_of(theo).post(address, {**sent, "threshold": "11"}).status_code == 422
    both = {**sent, "dataset": str(upload.dataset_id)}
    assert "not with both" in client_of(theo).post(address, both).content.decode()
    client_of(theo).post(address, sent)
    told = Pipeline.objects.get().options
    assert (told["uploads"], told["provider"], told["threshold"]) == ([str(upload.pk)], "", 0.0)
    assert (told["chunk_size"], told["chunk_overlap"], told["questions"]) == (300, 60, 3)


@pytest.mark.checklist(350, 362)
@pytest.mark.parametrize("kind", ["", "openai", "claude", "ollama", "other"])
def test_whoever_words_the_questions_the_steps_are_the_same(
    kind, theo, data_dir, client_of, settings
):
    """Nobody but OTTO, an account elsewhere, a model of this machine, another OTTO."""
    settings.OTTO_PROVIDER_HOSTS = ["127.0.0.1"]
    body = HOURS.format(place="Berlin", hour=8, days=20).encode()
    upload = import_here(receive_whole(NewUpload("berlin.md", len(body)), body, by=theo))
    with provider(GOOD) as (url, script):
        base = url.removesuffix("/v1") if kind == "claude" else url
        about = {"kind": kind, "base_url": base, "model": "m", "per_minute": 60_000}
        house = Provider.objects.create(name="House", **about) if kind else None
        sent = {"uploads": [str(upload.pk)], "way": "tiny", "threshold": "0", "questions": "2"}
        sent |= {"provider": str(house.pk), "llm_model": "small"} if house else {}
        client_of(theo).post(reverse("pipeline-new"), sent)
        pipeline = claim(Pipeline, Pipeline.objects.get().pk)
        for step in ("documents", "chunk", "generate", "judge", "choose"):
            getattr(document_steps, step)(pipeline)
    made = PairGeneration.objects.get()
    assert made.n_new >= 1
    assert made.provider == house
    assert [one["body"]["model"] for one in script.asked[:1]] == (["small"] if house else [])
    assert (made.by == "built-in") == (house is None)


@pytest.mark.checklist(354, 355)
def test_the_form_goes_on_with_what_was_left_and_lists_each_thing(theo, data_dir, client_of):
    client, address = client_of(theo), reverse("pipeline-new")
    body = b"la la la " * 60
    upload = import_here(receive_whole(NewUpload("lorem.txt", len(body)), body, by=theo))
    sent = {"uploads": [str(upload.pk)], "way": "tiny", "verbose": "on"}
    client.post(address, {**sent, "resume": "on"})  # nothing was left: it begins
    pipeline = Pipeline.objects.get()
    assert not advance(pipeline.pk)
    assert pipeline.steps.get(state=State.FAILED).name == "generate"
    page = client.get(reverse("pipeline-detail", args=[pipeline.pk])).text
    assert "lorem.txt: 1 chunks in" in page
    assert "0 of 3 pairs" in page
    ended = pipeline.steps.get(name="chunk").finished_at
    answer = client.post(address, {**sent, "resume": "on"}, follow=True)
    assert "It goes on where it failed." in answer.text
    pipeline.refresh_from_db()
    assert (Pipeline.objects.count(), pipeline.state) == (1, State.QUEUED)
    assert pipeline.steps.get(name="chunk").finished_at == ended  # done once
    client.post(address, sent)
    assert Pipeline.objects.count() == 2


@pytest.mark.checklist(363)
def test_files_of_the_earlier_pipeline_come_in_as_they_are(theo, cora, data_dir, client_of):
    """Chunks, questions and answers, scores: each by its own door, into one dataset."""
    client = client_of(cora)
    dataset = Dataset.objects.create(name="Earlier", created_by=cora)
    text = "The shop opens at nine. You may come on any working day you like."
    chunk = {"chunk_id": "guide_chunk_0", "content": text, "metadata": {}}
    about = {"source_file": "guide.md", "chunk_count": 1, "chunk_size": 1000, "chunk_overlap": 200}
    about |= {"processed_at": "2024-05-01T10:00:00", "splitting_strategy": "recursive"}
    chunks = {"metadata": about, "chunks": [chunk], "status": "completed"}
    asked, said = "When does the shop open?", "The shop opens at nine."
    pair = {"question": asked, "answer": said, "source_file": "guide.md", "file_name": "guide.md"}
    pair |= {"file_type": ".md", "chunk_id": "guide_chunk_0", "chunk_index": 0}
    pair |= {"chunk_start": 7, "chunk_end": 99, "source_text": text}  # wrong, as many were
    pairs = {"metadata": {"llm_provider": "openai", "status": "completed", "qa_count": 1}}
    pairs |= {"training_pairs": [pair], "completed_chunks": ["guide_chunk_0"], "failed_chunks": []}
    parts = {"factual_accuracy_score": 9, "completeness_score": 8, "consistency_score": 9}
    score = {**parts, "overall_score": 2, "issues_found": [], "recommendations": []}
    result = {"qa_pair_id": "1", "qa_pair_index": 0, "question": asked, "answer": said}
    result |= {"source_file": "guide.md", "chunk_id": "guide_chunk_0", "chunk_index": 0}
    result["validation_score"] = {**score, "validation_status": "FAIL"}
    report = {"validation_metadata": {"validator_model": "openai:x", "validation_threshold": 8.0}}
    report["validation_results"] = [result]

    def bring(name, field, file, value):
        sent = SimpleUploadedFile(file, json.dumps(value).encode())
        told = {field: sent, "name": f"Brought {file}"}
        return client.post(reverse(name, args=[dataset.pk]), told, follow=True)

    bring("chunks-bring", "sent", "guide_chunks.json", chunks)
    assert ChunkSet.objects.get(name="Brought guide_chunks.json").n_chunks == 1
    bring("pairs-bring", "sent", "guide_qa.json", pairs)
    generate_pairs(PairGeneration.objects.get().pk)
    row = Conversation.objects.get(dataset=dataset, is_passage=False)
    assert [turn["text"] for turn in row.turns] == [asked, said]
    page = bring("score-list", "report", "guide_validation.json", report)
    assert "1 had a status" in page.text  # its word is not taken: the score says PASS
    assert str(Scoring.objects.get().scores.get().overall) == "8.70"


@pytest.mark.checklist(249)
def test_addresses_become_pages_pairs_a_version_and_a_run(theo, data_dir, client_of, settings):
    settings.OTTO_WEB_INTERNAL_HOSTS = ["127.0.0.1"]
    address, client = reverse("pipeline-new"), client_of(theo)
    said = [HOURS.format(place=place, hour=8, days=20 + n) for n, place in enumerate(PLACES)]
    said = [re.sub("#+ ", "", text).replace("\n\n", "</p><p>") for text in said]
    site = {f"/{place}": page(place, text) for place, text in zip(PLACES, said, strict=True)}
    with serving(site) as there:
        lines = "\n".join([*map(there.at, site), there.at("/gone")])
        sent = {"addresses": lines, "way": "tiny", "threshold": "0", "chunk_size": "400"}
        assert client.post(address, {**sent, "addresses": "ftp:x"}).status_code == 422
        settings.OTTO_WEB_PAGES = False
        assert "switched off" in client.post(address, sent).text
        settings.OTTO_WEB_PAGES = True
        where = client.post(address, sent)["Location"]
        pipeline = Pipeline.objects.get()
        while pipeline.run is None and advance(pipeline.pk):
            pipeline.refresh_from_db()
    notes = dict(pipeline.steps.values_list("name", "note"))
    assert notes["web"] == f"{len(PLACES)} pages are here, 1 were left out"
    assert notes["documents"].startswith(f"{len(PLACES)} documents")
    assert Run.objects.get().version.counts["rows"] > 0
    steps = list(pipeline.steps.order_by("number").values_list("name", flat=True))
    assert steps[-4:] == ["export", "deploy", "chat", "learn"]
    assert "Fetch the pages" in client.get(where).text
