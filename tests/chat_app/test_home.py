"""Home, the one-click loop as rows, and the proposal of the next model."""

from __future__ import annotations

from functools import partial

import pytest
from django.urls import reverse

from chat_app.jobs import pipeline_steps
from chat_app.jobs.pipelines import advance
from chat_app.models import STEP_WORDS, LogEntry, Pipeline
from chat_app.selectors.next_model import proposal
from chat_app.services.pipelines import Wish, retry_pipeline, start_pipeline
from datasets_app.jobs import freezing
from datasets_app.models import Conversation, Decision
from datasets_app.services import curation
from otto_web.lib.work.claims import claim
from otto_web.lib.work.states import State
from tests.chat_app.makers import add_chat, make_served
from tests.datasets_app.makers import add, pair, support_dataset
from training_app.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.checklist(1, 3)
def test_the_first_visit_offers_the_sample_and_shows_five_stages(client_of, theo):
    page = client_of(theo).get(reverse("home")).content.decode()
    assert "Try with sample data" in page
    for stage in ("Upload", "Curate", "Train", "Evaluate", "Chat"):
        assert f">{stage}</a>" in page


def test_a_member_finds_who_answers_their_own_chats_and_what_is_new(client_of, mia, milo):
    empty = client_of(mia).get(reverse("home")).content.decode()
    assert "As soon as a trainer deploys a model" in empty
    served = make_served()
    own = add_chat(served, mia, [("Is it open?", "It is.")])
    add_chat(served, milo, [("A secret?", "Yes.")])
    page = client_of(mia).get(reverse("home")).content.decode()
    assert f"{reverse('chat-list')}?deployment=support" in page
    assert reverse("chat-detail", args=[own.pk]) in page
    assert "answers as <bdi>support</bdi>" in page
    for foreign in ("A secret?", "Try with sample data", reverse("run-list"), ">Train<", "Curate"):
        assert foreign not in page


def test_home_names_the_next_step_and_the_queries_do_not_grow(
    client_of, theo, cora, django_assert_max_num_queries
):
    support_dataset(cora)
    client = client_of(theo)
    client.get(reverse("home"))
    with django_assert_max_num_queries(30):
        page = client.get(reverse("home")).content.decode()
    assert "Look through your conversations." in page


def test_home_says_what_waits_in_the_right_number(client_of, cora, mia):
    served = make_served()
    home = partial(client_of(cora).get, reverse("home"))
    add_chat(served, mia, [("Is it open?", "It is.")], is_logged=True)
    assert "1 logged answer is in no dataset yet" in home().content.decode()
    add_chat(served, mia, [("Is it near?", "It is not.")], is_logged=True)
    assert "2 logged answers are in no dataset yet" in home().content.decode()


def test_the_loops_own_exchange_waits_for_a_rating(served_chat, theo):
    pipeline, chat = start_pipeline(Wish(), by=theo), served_chat
    pipeline.chat = chat
    assert "waits in the log" in pipeline_steps.learn(pipeline)
    assert not Conversation.objects.exists()
    LogEntry.objects.all().delete()
    assert "does not log" in pipeline_steps.learn(pipeline)


@pytest.fixture
def served_chat(theo):
    return add_chat(make_served(), theo, [("Is it open?", "It is.")], is_logged=True)


def test_every_step_has_words_and_work():
    assert list(STEP_WORDS) == list(pipeline_steps.STEPS)


@pytest.mark.checklist(233)
def test_a_pipeline_does_what_it_can_and_waits_for_the_train_worker(cora, theo, data_dir):
    pipeline = start_pipeline(Wish(support_dataset(cora), preset="tiny", steps=5), by=theo)
    assert advance(pipeline.pk)
    states = dict(pipeline.steps.values_list("name", "state"))
    assert (states["load"], states["check"], states["freeze"]) == ("succeeded",) * 3
    assert (states["train"], states["evaluate"]) == ("running", "queued")
    assert advance(pipeline.pk)
    assert Run.objects.count() == 1


def test_a_critical_dataset_stops_the_pipeline_with_a_sentence(theo, cora, client_of):
    dataset = support_dataset(cora)
    rows = [pair(f"What about number {n}?", "") for n in range(60)]
    dataset.conversations.all().delete()
    add(dataset, rows)
    pipeline = start_pipeline(Wish(dataset), by=theo)
    assert not advance(pipeline.pk)
    pipeline.refresh_from_db()
    assert pipeline.state == State.FAILED
    assert "quality score is 0 %" in pipeline.steps.get(name="check").note
    page = client_of(theo).get(reverse("pipeline-detail", args=[pipeline.pk])).content.decode()
    assert "Continue from here" in page
    retry_pipeline(pipeline, by=theo)
    assert Pipeline.objects.get().state == State.QUEUED


def test_two_workers_never_do_one_pipeline_at_once(cora, theo, data_dir):
    pipeline = start_pipeline(Wish(support_dataset(cora)), by=theo)
    assert claim(Pipeline, pipeline.pk)
    assert advance(pipeline.pk)
    assert not pipeline.steps.exclude(state="queued").exists()


def test_starting_needs_the_role_and_shows_errors_beside_fields(client_of, theo, cora):
    address = reverse("pipeline-new")
    assert client_of(cora).post(address, {"alias": "x"}).status_code == 403
    answer = client_of(theo).post(address, {"alias": "Not a slug!"})
    assert answer.status_code == 422
    assert Pipeline.objects.count() == 0
    answer = client_of(theo).post(address, {"alias": "support"})
    assert answer["Location"] == reverse("pipeline-detail", args=[Pipeline.objects.get().pk])


@pytest.mark.checklist(220)
def test_the_next_model_is_proposed_once_new_rows_were_kept(
    deployment, cora, theo, client_of, toy_model
):
    dataset = support_dataset(cora)
    version = freezing.freeze_version(dataset, user=cora)
    toy_model.run = Run.objects.create(name="first", version=version, spec={}, spec_sha256="0")
    toy_model.save()
    deployment.refresh_from_db()
    assert proposal(deployment) is None
    aside = dataset.conversations.filter(status="excluded").values_list("pk", flat=True)
    curation.decide_rows(dataset, list(aside), Decision.KEEP, by=cora)
    found = proposal(deployment)
    assert (found.fresh, found.version, found.model) == (2, version, toy_model)
    answer = client_of(theo).post(reverse("next-model", args=["support"]))
    second = dataset.versions.get(number=2)
    assert answer["Location"].startswith(reverse("version-detail", args=[second.pk]))
    assert str(toy_model.pk) in answer["Location"]


@pytest.mark.checklist(174)
def test_who_has_no_version_is_offered_the_example_data_before_training(client_of, theo):
    page = client_of(theo).get(reverse("run-new")).content.decode()
    assert "Use example data" in page
    assert reverse("pipeline-new") in page
