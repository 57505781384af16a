"""The one-click loop as rows: what it does, what it waits for, and how it goes on."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from chat_app.models import Deployment, Generation, LogEntry
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Conversation, Dataset, Knowledge, Upload, Version
from datasets_app.sample.conversations import jsonl_lines
from datasets_app.services import imports
from datasets_app.services.datasets import create_dataset
from datasets_app.services.knowledge import order_knowledge
from otto_web.lib.work.claims import claim, fail, renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs import pipeline_steps, stepping
from otto_web.loop.jobs.pipelines import advance
from otto_web.loop.models import STEP_WORDS, Pipeline
from otto_web.loop.selectors import pipelines as selectors
from otto_web.loop.selectors.home import home
from otto_web.loop.selectors.pipelines import sample_ways
from otto_web.loop.services.pipelines import (
    DOCUMENT_STEPS,
    PipelineOrder,
    left_of,
    retry_pipeline,
    start_pipeline,
)
from tests.chat_app.makers import ENDED, add_chat, make_export, make_model, make_served
from tests.datasets_app.makers import add, pair, support_dataset
from tests.training_app.conftest import make_version, toy_order
from tests.training_app.ended_runs import ended_run
from training_app.lm.config import TrainingError
from training_app.models import Evaluation, Run, RunPoint
from training_app.models.base import Base
from training_app.selectors.speed import machine_speed
from training_app.services.bases import order_missing
from training_app.services.runs import queue_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_loops_own_exchange_waits_for_a_rating(served_chat, theo):
    pipeline, chat = start_pipeline(PipelineOrder(), by=theo), served_chat
    pipeline.chat = chat
    assert "waits in the log" in pipeline_steps.learn(pipeline)
    assert not Conversation.objects.exists()
    LogEntry.objects.all().delete()
    assert "does not log" in pipeline_steps.learn(pipeline)


@pytest.fixture
def served_chat(theo):
    return add_chat(make_served(), theo, [("Is it open?", "It is.")], is_logged=True)


def test_what_its_model_was_tested_on_is_its_own_version(theo):
    version = make_version()
    run = ended_run(version, theo)
    own = Evaluation.objects.get()
    Evaluation.objects.filter(pk=own.pk).update(at=own.at - timedelta(days=1))
    own.pk, own.version = None, make_version(30)
    own.save(force_insert=True)
    pipeline = Pipeline(run=run)
    assert selectors.tested(pipeline).evaluation.version == version
    own.version = version
    own.save()
    assert selectors.tested(pipeline).evaluation == own


def test_every_step_has_words_and_work():
    assert list(STEP_WORDS) == list(pipeline_steps.STEPS)


@pytest.mark.slow
@pytest.mark.checklist(233)
def test_a_pipeline_does_what_it_can_and_waits_for_the_train_worker(cora, theo, data_dir):
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora), preset="tiny", steps=5), by=theo)
    assert advance(pipeline.pk)
    states = dict(pipeline.steps.values_list("name", "state"))
    assert (states["load"], states["check"], states["freeze"]) == ("succeeded",) * 3
    assert (states["train"], states["evaluate"]) == ("running", "queued")
    assert advance(pipeline.pk)
    assert Run.objects.count() == 1


@pytest.mark.slow
def test_without_a_base_model_the_loop_trains_from_nothing_and_says_so(cora, theo, data_dir):
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora), steps=5), by=theo)
    assert advance(pipeline.pk)
    notes = dict(pipeline.steps.values_list("name", "note"))
    assert notes["base"].startswith("No base model is here, so this model is trained from nothing")
    assert "can be found by words only" in notes["know"]
    spec = Run.objects.get().spec
    assert (spec["method"], spec["preset"], spec["train"]["steps"]) == ("scratch", "tiny", 5)
    assert spec["data"]["sources"] == 0


@pytest.mark.slow
def test_what_is_built_is_not_ordered_anew(cora, theo, data_dir):
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora), steps=5), by=theo)
    assert advance(pipeline.pk)
    before = Knowledge.objects.get()
    pipeline.refresh_from_db()
    assert "can be found by words only" in pipeline_steps.know(pipeline)
    order_knowledge(before.version, by=cora)  # somebody has it built anew meanwhile
    Knowledge.objects.update(state=State.RUNNING, lease_until=timezone.now() + timedelta(hours=1))
    assert "can be found by words only" in pipeline_steps.know(pipeline)
    after = Knowledge.objects.get()
    assert (after.path, after.fence) == (before.path, before.fence + 1)


def test_a_loop_waits_for_a_base_that_is_being_fetched(cora, theo, data_dir):
    order_missing()  # as a fresh installation does, long before anybody has read one
    model = Base.objects.get(kind="language")
    assert [one.kind for one in Base.objects.exclude(pk=model.pk)] == ["encoder"]
    Base.objects.filter(pk=model.pk).update(bytes_done=40_000_000, bytes_total=93_000_000)
    assert list(sample_ways(theo).coming) == [model]
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora)), by=theo)
    assert advance(pipeline.pk)
    assert pipeline.steps.get(name="base").note == f"{model} is on its way: 40 of 93 MB"
    assert not Run.objects.exists()


def test_a_loop_waits_for_a_brought_base_that_nobody_has_read_yet(cora, theo, data_dir):
    Base.objects.create(name="brought", title="Brought", source="upload")
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora)), by=theo)
    assert advance(pipeline.pk)
    assert pipeline.steps.get(name="base").note == "Brought is on its way"


@pytest.mark.slow
def test_a_loop_does_not_wait_for_an_encoder(cora, theo, data_dir):
    Base.objects.create(name="enc", title="Enc", kind="encoder", source="package")
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora), steps=5), by=theo)
    assert advance(pipeline.pk)
    assert pipeline.steps.get(name="base").note.startswith("No base model is here")


@pytest.mark.slow
def test_a_loop_with_a_base_learns_to_answer_from_what_it_knows(cora, theo, data_dir):
    base = make_model("small")
    folder = data_dir / base.path
    folder.mkdir(parents=True)
    sizes = {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "hidden_size": 64,
        "max_position_embeddings": 8192,
        "vocab_size": 300,
    }
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **sizes}))
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora)), by=theo)
    assert advance(pipeline.pk)
    assert pipeline.steps.get(name="base").note == f"It begins with {base}."
    run = Run.objects.get()
    assert run.start_model == base
    assert run.spec["start_from"] == str(base.pk)
    assert (run.spec["method"], run.spec["data"]["sources"]) == ("full", 3)
    assert run.spec["model"]["context"] == 1024
    assert run.spec["train"]["steps"] == 60


@pytest.mark.slow
def test_a_critical_dataset_stops_the_pipeline_with_a_sentence(theo, cora, client_of):
    dataset = support_dataset(cora)
    rows = [pair(f"What about number {n}?", "") for n in range(60)]
    dataset.conversations.all().delete()
    add(dataset, rows)
    pipeline = start_pipeline(PipelineOrder(dataset), by=theo)
    assert not advance(pipeline.pk)
    pipeline.refresh_from_db()
    assert pipeline.state == State.FAILED
    assert "quality score is 0 %" in pipeline.steps.get(name="check").note
    page = client_of(theo).get(reverse("pipeline-detail", args=[pipeline.pk])).content.decode()
    assert "Continue from here" in page
    retry_pipeline(pipeline, by=theo)
    assert Pipeline.objects.get().state == State.QUEUED


def test_two_workers_never_do_one_pipeline_at_once(cora, theo, data_dir):
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora)), by=theo)
    assert claim(Pipeline, pipeline.pk)
    assert advance(pipeline.pk)
    assert not pipeline.steps.exclude(state="queued").exists()


def test_starting_needs_the_role_and_shows_errors_beside_fields(client_of, theo, cora):
    address = reverse("pipeline-new")
    assert client_of(cora).post(address, {"alias": "x"}).status_code == 403
    answer = client_of(theo).post(address, {"alias": "Not a slug!"})
    assert answer.status_code == 422
    assert Pipeline.objects.count() == 0
    answer = client_of(theo).post(address, {"alias": "", "takes_over": "on"})
    assert "Say which name the new model takes over." in answer.content.decode()
    answer = client_of(theo).post(address, {"alias": "support"})
    assert answer["Location"] == reverse("pipeline-detail", args=[Pipeline.objects.get().pk])


def test_a_double_click_on_the_sample_starts_one_loop(theo, client_of):
    client = client_of(theo)
    page = client.get(reverse("home")).content.decode()
    form = page[page.index("With the conversations of an invented shop") :]
    sent = {"alias": "support", "key": re.findall(r'name="key" value="([^"]+)"', form)[0]}
    first, second = (client.post(reverse("pipeline-new"), sent) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Pipeline.objects.count() == 1


_ONLY_WHERE_WISHED = {"onnx", "web", *DOCUMENT_STEPS}


def test_one_order_that_comes_twice_at_once_is_one_loop(theo):
    order = PipelineOrder()

    def start(_):
        try:
            return start_pipeline(order, by=theo)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1
    steps = list(Pipeline.objects.get().steps.order_by("number").values_list("name", flat=True))
    assert steps == [name for name in STEP_WORDS if name not in _ONLY_WHERE_WISHED]


def test_a_form_that_is_sent_twice_starts_one_loop(theo, client_of):
    address, client = reverse("pipeline-new"), client_of(theo)
    page = client.get(address).content.decode()
    sent = dict(re.findall(r'name="(key)" value="([^"]+)"', page)) | {"alias": "new-name"}
    assert client.post(address, sent)["Location"] == client.post(address, sent)["Location"]
    assert Pipeline.objects.count() == 1
    assert re.search(rf'value="{sent["key"]}"', client.get(address).content.decode()) is None


def test_a_loop_leaves_a_name_alone_that_answers_unless_told_to_take_it_over(
    served, theo, client_of
):
    address = reverse("pipeline-new")
    refused = client_of(theo).post(address, {"alias": "support"})
    assert refused.status_code == 422
    assert "“support” is there already" in refused.content.decode()
    client_of(theo).post(address, {"alias": "support", "takes_over": "on"})
    assert Pipeline.objects.get().options["takes_over"] is True


@pytest.mark.slow
@pytest.mark.parametrize(("order", "alias"), [
    (PipelineOrder(), "toy-shop"),
    (PipelineOrder(alias="support"), "support-2"),
    (PipelineOrder(alias="support", takes_over=True), "support"),
])  # fmt: skip
def test_a_deployed_loop_has_a_name_of_its_own(order, alias, served, theo):
    Deployment.objects.update(starters=["What is released already?"])
    version, old = make_version(), served.model
    type(version.dataset).objects.update(name="Toy Shop")
    run = queue_run(toy_order(version), created_by=theo)
    model = make_model("of the loop", run=run)
    make_export(model)
    pipeline = claim(Pipeline, start_pipeline(order, by=theo).pk)
    renew(
        pipeline, run=run, dataset=version.dataset, options={**pipeline.options, "is_sample": True}
    )
    pipeline.dataset.refresh_from_db()
    assert pipeline_steps.deploy(pipeline) == f"“{alias}” answers with {model}"
    assert pipeline_steps.deploy(pipeline) == f"“{alias}” answers with {model}"  # once more
    served.refresh_from_db()
    assert served.model == (model if alias == "support" else old)
    assert served.starters == ["What is released already?"]
    assert Deployment.objects.count() == (1 if alias == "support" else 2)


@pytest.mark.checklist(174)
def test_who_has_no_version_is_offered_the_example_data_before_training(client_of, theo):
    page = client_of(theo).get(reverse("run-new")).content.decode()
    assert "Use example data" in page
    assert reverse("pipeline-new") in page


@pytest.fixture
def served(redis_server):
    return make_served()


def test_continuing_a_loop_whose_run_failed_trains_anew(transactional_db, redis_server, theo):
    run = queue_run(toy_order(make_version()), created_by=theo)
    Run.objects.update(state=State.RUNNING)
    Run.objects.update(state=State.FAILED, finished_at=timezone.now())
    run.refresh_from_db()
    pipeline = start_pipeline(PipelineOrder(), by=theo)
    fail(claim(Pipeline, pipeline.pk), "refused", "It broke.", run=run)
    retry_pipeline(pipeline, by=theo)
    pipeline.refresh_from_db()
    assert (pipeline.run, pipeline.options["tries"]) == (None, 1)


@pytest.mark.slow
def test_a_run_that_was_stopped_and_kept_is_no_failure(redis_server, theo, client_of, monkeypatch):
    """The loop goes on with its model, home counts it, and a script ends well."""
    run = queue_run(toy_order(make_version()), created_by=theo)
    Run.objects.update(state=State.RUNNING)
    Run.objects.update(state=State.CANCELLED, finished_at=timezone.now(), message="Stopped.")
    run.refresh_from_db()
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(), by=theo).pk)
    renew(pipeline, run=run)
    with pytest.raises(TrainingError, match="Stopped"):
        pipeline_steps.train(pipeline)
    make_model("kept", run=run)
    renew(pipeline, run=Run.objects.get())
    assert pipeline_steps.train(pipeline) == "0 steps"
    train = next(stage for stage in home(theo).stages if stage.title == "Train")
    assert (train.figure, train.state) == (1, State.SUCCEEDED)
    points = [("train/tokens_per_second", 4, 1000.0)]
    RunPoint.objects.bulk_create(
        RunPoint(run=run, name=name, step=step, value=value, seq=1, fence=1)
        for name, step, value in points
    )
    assert machine_speed(1000).is_measured
    fail(pipeline, "refused", "It broke later.")
    retry_pipeline(pipeline, by=theo)
    pipeline.refresh_from_db()
    assert pipeline.run == run


@pytest.mark.slow
def test_a_loop_whose_worker_died_goes_on_with_what_it_had_made(
    redis_server, data_dir, tmp_path, theo
):
    pairs = ({"input": f"Where is hat {n}?", "output": f"It is {n} m away."} for n in range(6))
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    for file in files:
        file.write_text("".join(json.dumps(next(pairs)) + "\n" for _ in range(3)))
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(files=files), by=theo).pk)
    pipeline_steps.load(pipeline)
    renew(pipeline, dataset=None)  # it died before it could name it
    pipeline_steps.load(pipeline)
    assert Dataset.objects.get() == pipeline.dataset
    assert (Upload.objects.count(), pipeline.dataset.conversations.count()) == (2, 6)
    pipeline_steps._order_version(pipeline)  # and here before it froze
    pipeline_steps.freeze(pipeline)
    assert Version.objects.get() == pipeline.version
    assert pipeline.version.counts["rows"] == 6


def test_a_loop_orders_another_version_after_one_that_failed(redis_server, theo):
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(), by=theo).pk)
    renew(pipeline, dataset=create_dataset("nothing", by=theo))
    for tries in (1, 2):
        with pytest.raises(CorpusError, match="at least two"):
            pipeline_steps.freeze(pipeline)
        assert Version.objects.count() == tries


@pytest.mark.slow
def test_a_loop_asks_anew_after_an_answer_that_failed(served, theo, monkeypatch):
    monkeypatch.setattr(pipeline_steps, "ANSWER_SECONDS", 0.0)
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(), by=theo).pk)
    pipeline.deployment, pipeline.version = served, make_version()
    for _ in range(2):  # nobody answers, the step is done again: still one question
        with pytest.raises(ServingError, match="No engine answered"):
            pipeline_steps.chat(pipeline)
    assert Generation.objects.count() == 1
    Generation.objects.update(state=State.FAILED, **ENDED)
    with pytest.raises(ServingError, match="No engine answered"):
        pipeline_steps.chat(pipeline)
    assert Generation.objects.count() == 2


def test_a_loop_does_not_train_on_what_is_mostly_unfit(transactional_db, redis_server, theo):
    version = make_version()
    type(version).objects.update(quality_score=0.3)
    version.refresh_from_db()
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(preset="tiny", steps=10), by=theo).pk)
    pipeline.version = version
    with pytest.raises(Exception, match="quality score of this version is 30"):
        pipeline_steps.train(pipeline)
    assert not Run.objects.exists()


@pytest.mark.slow
def test_files_that_others_read_hold_up_no_worker_and_are_loaded_once(
    theo, tmp_path, data_dir, redis_server, monkeypatch
):
    monkeypatch.setattr(stepping, "TURN_SECONDS", 0.0)
    file = tmp_path / "hats.jsonl"
    rows = (f'{{"input": "Where is hat {n}?", "output": "It is {n} m away."}}' for n in range(20))
    file.write_text("\n".join(rows), "utf-8")
    pipeline = start_pipeline(PipelineOrder(files=(file,), preset="tiny", steps=5), by=theo)
    with monkeypatch.context() as busy:
        busy.setattr(imports, "_has_place", lambda upload_id: False)
        assert advance(pipeline.pk)
    assert "another worker" in pipeline.steps.get(name="load").note
    advance(pipeline.pk)
    assert pipeline.steps.get(name="load").state == State.SUCCEEDED
    assert Upload.objects.count() == Dataset.objects.count() == 1
    assert Conversation.objects.count() == 20


def test_what_was_left_of_files_and_of_the_sample_is_found_once_they_are_loaded(theo, tmp_path):
    theirs, other = (create_dataset(name, by=theo) for name in ("theirs", "other"))
    orders = {
        "files": PipelineOrder(files=(tmp_path / "a.jsonl",)),
        "sample": PipelineOrder(),
        "theirs": PipelineOrder(theirs),
    }
    made = {name: start_pipeline(order, by=theo) for name, order in orders.items()}
    assert {name: left_of(order, theo) for name, order in orders.items()} == made
    options = {**made["sample"].options, "is_sample": True}
    Pipeline.objects.filter(pk=made["sample"].pk).update(dataset=other, options=options)
    Pipeline.objects.filter(pk=made["files"].pk).update(dataset=other)
    assert {name: left_of(order, theo) for name, order in orders.items()} == made
    assert left_of(PipelineOrder(files=(tmp_path / "b.jsonl",)), theo) is None


@pytest.mark.slow
def test_the_sample_is_asked_what_stands_nowhere_in_it(cora, theo, data_dir):
    pipeline = start_pipeline(PipelineOrder(support_dataset(cora)), by=theo)
    pipeline.options["is_sample"] = True
    question = pipeline_steps._unseen_question(pipeline)
    assert not any(question in line for line in jsonl_lines())
