"""Home, and the proposal of the next model."""

from __future__ import annotations

import html
import re
from functools import partial

import pytest
from django.urls import reverse

from chat_app.services.chats import rate
from datasets_app.jobs import freezing
from datasets_app.jobs.knowledge import build_knowledge
from datasets_app.models import Decision
from datasets_app.services import curation
from datasets_app.services.knowledge import order_knowledge
from otto_web.loop.selectors.next_model import proposal
from otto_web.loop.services.harvest import GOOD
from tests.chat_app.makers import add_chat, make_model, make_served
from tests.datasets_app.makers import support_dataset
from tests.training_app.conftest import toy_order
from training_app.models import Base, Run
from training_app.services.runs import queue_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.checklist(1, 3)
def test_the_first_visit_offers_the_sample_and_shows_five_stages(client_of, theo):
    page = client_of(theo).get(reverse("home")).content.decode()
    assert "Try with sample data" in page
    for stage in ("Upload", "Curate", "Train", "Evaluate", "Chat"):
        assert f">{stage}</a>" in page


def test_the_sample_has_two_ways_and_says_how_far_its_base_has_come(client_of, theo):
    home = partial(client_of(theo).get, reverse("home"))
    page = home().content.decode()
    assert "No base model is here" in page
    assert "learns from nothing</button>" not in page
    coming = Base.objects.create(
        name="little", title="Little", kind="language", source="package",
        bytes_done=40_000_000, bytes_total=93_000_000,
    )  # fmt: skip
    page = " ".join(home().content.decode().split())
    assert "40 MB of 93 MB" in page
    assert "See how a model learns from nothing</button>" in page
    coming.delete()
    make_model(name="Little")
    page = " ".join(home().content.decode().split())
    assert re.search(r"teaches Little to answer from what the shop knows, (about )?\d+ min", page)


@pytest.mark.slow
def test_what_is_frozen_may_answer_without_training(client_of, theo, cora):
    version = freezing.freeze_version(support_dataset(cora), user=cora)
    order_knowledge(version, by=cora)
    page = client_of(theo).get(reverse("home")).content.decode()
    address = f"{reverse('deployment-new')}?knowledge={version.pk}"
    assert address not in page  # it is not built yet, so the form does not offer it
    build_knowledge(version.pk)
    page = client_of(theo).get(reverse("home")).content.decode()
    assert f'href="{address}">Chat from its answers now, without training<' in page
    assert "without training" not in client_of(cora).get(reverse("home")).content.decode()
    queue_run(toy_order(version), created_by=theo)
    page = client_of(theo).get(reverse("home")).content.decode()
    assert "A model is being trained." in page
    assert "1 waiting" in page
    make_served()
    assert address not in client_of(theo).get(reverse("home")).content.decode()


def test_a_member_finds_who_answers_their_own_chats_and_what_is_new(client_of, mia, milo):
    empty = client_of(mia).get(reverse("home")).content.decode()
    assert "As soon as a trainer deploys a model" in empty
    served = make_served()
    own = add_chat(served, mia, [("Is it open?", "It is.")])
    add_chat(served, milo, [("A secret?", "Yes.")])
    page = client_of(mia).get(reverse("home")).content.decode()
    assert f"{reverse('chat-list')}?deployment=support" in page
    assert reverse("chat-detail", args=[own.pk]) in page
    assert "answers</bdi> as <bdi>support</bdi>" in page
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


@pytest.mark.slow
def test_home_says_what_waits_in_the_right_number(client_of, cora, mia):
    served = make_served()
    home = partial(client_of(cora).get, reverse("home"))
    for question, value in (("Open?", GOOD), ("Near?", -GOOD), ("Cheap?", None), ("Big?", GOOD)):
        chat = add_chat(served, mia, [(question, "It is.")], is_logged=True)
        if value:
            rate(chat.messages.get(role="assistant"), value, by=mia)
        if question == "Cheap?":  # bad answers and unrated ones are never added
            assert "1 good answer is in no dataset yet" in home().content.decode()
    page = home().content.decode()
    assert "2 good answers are in no dataset yet" in page
    link = html.unescape(re.search(r'href="([^"]+rating=up[^"]*)"', page)[1])
    assert client_of(cora).get(link).text.count('<tr id="entry-') == 2


@pytest.mark.slow
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
