"""A model is tested on any version and on questions of people; each test stays in its history."""

from __future__ import annotations

import shutil

import pytest
from django.urls import reverse

from otto_web.lib.work.states import State
from tests.chat_app.makers import make_model
from tests.datasets_app.knowledge.toys import talk
from tests.training_app.conftest import make_version, toy_spec
from tests.training_app.lm.conftest import Diary
from training_app.jobs.model_tests import run_model_test
from training_app.lm.contract import TokenSource
from training_app.lm.driver import train_run
from training_app.models import ModelTest, TestSet, TrainedModel, paths

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server", "data_dir")]
QUESTIONS = (
    "question,answer,keywords,regex\n"
    "Where is order 3?,Your order 3 is on its way.,order|parcel,\n"
    "Say anything,,,.*\n"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a small model."""
    talks = [talk(f"Where is order {n}?", f"Your order {n} is on its way.") for n in range(24)]
    work = tmp_path_factory.mktemp("trained")
    source = TokenSource(talks[4:], talks[:4], "toy")
    train_run(toy_spec(), source, work, Diary(work), lambda: None)
    return work / "model"


@pytest.fixture
def model(trained, data_dir):
    shutil.copytree(trained, paths.absolute("models/toy"))
    made = make_model("toy")
    TrainedModel.objects.filter(pk=made.pk).update(path="models/toy")
    made.refresh_from_db()
    return made


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_model_is_asked_a_test_set_and_a_version_and_its_history_keeps_both(
    model, theo, client_of
):
    client, other = client_of(theo), make_version()
    client.post(reverse("test-set-list"), {"name": "Mine", "text": QUESTIONS})
    mine = TestSet.objects.get()
    order = reverse("model-test-new", args=[model.pk])
    client.post(order, {"test_set": mine.pk})
    client.post(order, {"version": other.pk, "split": "validation"})
    client.post(order, {"version": other.pk, "split": "test"})  # it is empty, so nothing is asked
    first, second = ModelTest.objects.order_by("queued_at")
    for test in (first, second):
        assert run_model_test(test.pk)
        test.refresh_from_db()
        assert test.state == State.SUCCEEDED, test.message
    assert first.means["asked"] == 2
    assert first.means["pattern"] == 1.0
    assert set(first.means) == {"exact", "keywords", "pattern", "f1", "rouge_l", "asked"}
    assert first.answers.total == 1  # the other question has no answer to compare with
    assert second.answers.total == second.means["asked"] == 4
    history = client.get(reverse("model-tests", args=[model.pk])).text
    assert "Mine" in history
    assert f"v{other.number}, validation" in history
    page = client.get(reverse("model-test-detail", args=[first.pk])).text
    assert "Say anything" in page
    assert "ROUGE-L" in page
    assert "order|parcel" in page
    assert ".*" in page
    client.post(reverse("test-set-delete", args=[mine.pk]))
    assert list(ModelTest.objects.all()) == [second]


def test_what_cannot_be_asked_is_refused_in_words(theo, client_of):
    client, model = client_of(theo), make_model("other")
    order = reverse("model-test-new", args=[model.pk])
    for values in ({}, {"test_set": "x"}, {"version": make_version().pk, "split": "train"}):
        page = client.post(order, values, follow=True).text
        assert "Choose a test set, or a version" in page
    TrainedModel.objects.filter(pk=model.pk).update(is_chat=False)
    assert "completes text" in client.post(order, {}, follow=True).text
    wrong = client.post(reverse("test-set-list"), {"text": "question,answer\nWhen?,\n"})
    assert (wrong.status_code, "Line 2 says nothing" in wrong.text) == (422, True)
    assert not ModelTest.objects.exists()
    assert not TestSet.objects.exists()


def test_only_a_trainer_tests(cora, client_of):
    for name in ("test-set-list", "model-tests"):
        args = [] if name == "test-set-list" else [make_model("x").pk]
        assert client_of(cora).get(reverse(name, args=args)).status_code == 403
