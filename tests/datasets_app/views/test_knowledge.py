"""The page of a version's knowledge: figures, trying a question, building anew, deleting."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from datasets_app.jobs import freezing
from datasets_app.jobs.knowledge import build_knowledge, look_up
from datasets_app.models import Encoder, Knowledge, Lookup, Version
from otto_web.lib.work.states import State
from tests.datasets_app.knowledge.toys import toy_encoder
from tests.datasets_app.makers import support_dataset
from tests.page_text import page_text
from tests.training_app.conftest import make_version, toy_order
from training_app.services.runs import queue_run

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def version(cora):
    return freezing.freeze_version(support_dataset(cora), user=cora)


@pytest.fixture
def built(version, data_dir):
    folder = toy_encoder(data_dir / "encoders/toy")
    facts = json.loads((folder / "encoder.json").read_text())
    Encoder.objects.create(path="encoders/toy", **facts)
    build_knowledge(version.pk)
    return version


def page_of(version, name="version-knowledge"):
    return reverse(name, args=[version.pk])


@pytest.fixture
def curator(cora, client_of):
    return client_of(cora)


@pytest.mark.slow
def test_a_version_leads_to_a_chat_without_training(theo, curator, version, client_of):
    client, lead = client_of(theo), "Chat from these answers now, without training"
    waiting = page_text(client.get(page_of(version, "version-detail")))
    assert "0 of 30 rows are read. Then your team can chat" in waiting
    assert lead not in waiting
    build_knowledge(version.pk)
    for name in ("version-detail", "version-knowledge"):
        page = client.get(page_of(version, name))
        assert lead in page_text(page)
        assert f"{reverse('deployment-new')}?knowledge={version.pk}" in page.content.decode()
    told = page_text(curator.get(page_of(version, "version-detail")))
    assert lead not in told
    assert "A trainer can let the team chat from its answers" in told
    Knowledge.objects.update(path="", state="failed", message="The disk is full.")
    assert "cannot be looked up: The disk is full." in page_text(
        client.get(page_of(version, "version-detail"))
    )


@pytest.mark.parametrize(("weight", "is_said"), [(0.4, False), (0.8, True)])
def test_words_count_more_only_where_they_do(curator, built, weight, is_said):
    row = Knowledge.objects.get()
    told = {"asked": 300, "words": 200, "vectors": 90, "both": 210, "is_served": False}
    row.facts |= {"figures": {"Latin": told}, "weights": {"Latin": weight}}
    row.save(update_fields=["facts"])
    page = page_text(curator.get(page_of(built)))
    assert "the encoder does not serve this language well" in page
    assert ("so words count more" in page) == is_said


def test_a_question_to_a_version_that_knows_nothing_yet_is_refused(curator, version):
    Knowledge.objects.all().delete()
    answer = curator.post(page_of(version), {"question": "Where is it?"}, follow=True)
    assert "Nothing is known yet. Build the knowledge first." in page_text(answer)


def test_it_says_how_far_it_is_and_looks_again(curator, version):
    page = curator.get(page_of(version))
    told = page_text(page)
    assert "Building: 0 of 30 rows are read." in told
    assert 'hx-trigger="every 1s"' in page.content.decode()
    assert "What would it answer from?" not in told  # there is nothing to ask yet
    fragment = curator.get(page_of(version), headers=HTMX).content.decode()
    assert fragment.count("<html") == 0
    assert 'id="version-knowledge"' in fragment


def test_without_an_encoder_it_says_that_words_decide_and_how_one_comes(
    curator, version, theo, client_of
):
    build_knowledge(version.pk)
    told = page_text(curator.get(page_of(version)))
    assert "<dt>Known answers</dt><dd>30</dd>" in told
    assert "Answers are found by their words only" in told
    assert "a trainer can fetch or bring one" in told
    assert "A trainer can let the team chat from them." in told
    trainers = client_of(theo).get(page_of(version)).text
    for name in ("base-list", "deployment-new", "deployment-list"):
        assert f'href="{reverse(name)}' in trainers
    assert "How well it finds is not measured" in told
    assert "every 1s" not in curator.get(page_of(version)).content.decode()


def test_a_question_is_tried_and_its_answers_lead_to_their_rows(curator, built):
    asked = curator.post(page_of(built), {"question": "where is parcel <b>17</b>?"})
    assert asked.status_code == 302
    assert "Looking it up" in page_text(curator.get(page_of(built)))
    look_up(Lookup.objects.get().pk)
    page = curator.get(page_of(built))
    told = page_text(page)
    assert "Parcel 17 left our warehouse on day 17." in told
    assert "closeness of meaning" in told
    assert "<bdi>toy</bdi> and words" in told
    row = Lookup.objects.get().results[0]["row"]
    address = reverse("conversation-detail", args=[built.dataset_id, row])
    assert address in page.content.decode()
    assert curator.get(address).status_code == 200


def test_what_nothing_is_known_of_says_so(curator, version):
    build_knowledge(version.pk)
    curator.post(page_of(version), {"question": "xylophone"})
    look_up(Lookup.objects.get().pk)
    assert "Nothing that it knows has anything to do" in page_text(curator.get(page_of(version)))


@pytest.mark.parametrize("question", ["", "  ", "x" * 5_001])
def test_a_question_that_cannot_be_looked_up_says_why(curator, built, question):
    answer = curator.post(page_of(built), {"question": question})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not Lookup.objects.exists()


def test_it_is_built_anew_by_a_button_once(curator, built):
    for _ in range(2):
        assert curator.post(page_of(built, "knowledge-build")).status_code == 302
    assert Knowledge.objects.get().state == State.QUEUED
    assert "Meanwhile the last one answers." in page_text(curator.get(page_of(built)))
    assert curator.get(page_of(built, "knowledge-build")).status_code == 405


def test_a_version_from_before_is_offered_knowledge(curator, version):
    Knowledge.objects.all().delete()
    assert "frozen before there was knowledge" in page_text(curator.get(page_of(version)))
    curator.post(page_of(version, "knowledge-build"))
    assert Knowledge.objects.get().total == 30


def test_only_curators_see_it(client_of, client, mia, built):
    for name in ("version-knowledge", "version-delete"):
        assert client_of(mia).get(page_of(built, name)).status_code == 403
        assert client.get(page_of(built, name)).status_code == 302
    missing = reverse("version-knowledge", args=["0" * 8 + "-0000-4000-8000-" + "0" * 12])
    assert client_of(built.created_by).get(missing).status_code == 404


def test_a_version_is_deleted_after_a_question(curator, built):
    assert "Delete this version?" in page_text(curator.get(page_of(built, "version-delete")))
    answer = curator.post(page_of(built, "version-delete"), follow=True)
    assert "is deleted" in page_text(answer)
    assert not Version.objects.exists()


def test_a_version_that_something_was_made_of_stays(curator, cora, data_dir):
    version = make_version()
    queue_run(toy_order(version), created_by=cora)
    answer = curator.post(page_of(version, "version-delete"), follow=True)
    assert "is in use and cannot be deleted: 1 × run" in page_text(answer)
    assert Version.objects.exists()
