"""What pages say first of a model: how many of its answers were right."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import USER, Turn
from otto_web.lib.work.states import State
from otto_web.loop.models import Pipeline, PipelineStep
from tests.chat_app.makers import make_served
from training_app.lm.answer_test import AnswerTest, Item
from training_app.models import EvalSample, Run, TrainedModel
from training_app.selectors.replies import few_replies, shown_replies
from training_app.services.evaluations import add_replies

pytestmark = pytest.mark.django_db
RIGHT, WRONG = 3, 7
HEADLINE = (
    "3 of 10 validation questions answered with the same facts as the real answer; 7 contradict it."
)


def item(number, kind="validation"):
    return Item((Turn(USER, f"What is number {number}?"),), f"It costs ${number + 400}.", kind)


@pytest.fixture
def tested(queued_run):
    """A model of a run that ended, with an answer test of ten questions and two off-topic ones."""
    items = [item(number) for number in range(100, 100 + RIGHT + WRONG)]
    items += [item(1, "off_topic"), item(2, "off_topic")]
    replies = {one.question: "It costs $999." for one in items[RIGHT:]}
    replies |= {one.question: one.reference for one in items[:RIGHT]}
    replies[items[-1].question] = "I do not know."
    figures, answered = AnswerTest(items).run(
        lambda talks: [replies[turns[-1].text] for turns in talks]
    )
    words = " ".join([figures.headline(), *figures.remarks(), "It is readable, with mistakes."])
    Run.objects.filter(pk=queued_run.pk).update(message=words)
    model = TrainedModel.objects.create(
        name="support", number=1, run=queued_run, family="llama", params=1000, context=32,
        path="models/none", manifest_sha256="0" * 64,
    )  # fmt: skip
    evaluation = model.evaluations.create(
        version=queued_run.version, split="validation", tokens=1, bytes=1, loss=1.0,
        perplexity=7.5, bits_per_byte=1.25,
        details={"verdict": words, "answers": figures.as_json()},
    )  # fmt: skip
    add_replies(evaluation, answered, ())
    return evaluation


def page_of(client, name, *args):
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_page_says_first_how_many_answers_were_right(tested, theo, client_of, data_dir):
    client, model = client_of(theo), tested.model
    for page in (
        page_of(client, "model-detail", model.pk),
        page_of(client, "run-detail", model.run_id),
    ):
        assert page.count(HEADLINE) == 1
        assert page.index(HEADLINE) < page.index("1.250")  # bits per byte
        assert page.index(HEADLINE) < page.index("It is readable, with mistakes.")
        assert "nobody should rely on it" in page
        assert "notice stack notice-bad" in page
        assert page.count("contradicts") >= WRONG
        assert page.count("invents an answer") == 1
        assert page.count("says that it does not know") >= 1
        assert "lacks $503; adds $999" in page
    listed = page_of(client, "model-list")
    assert f"{RIGHT} of {RIGHT + WRONG}" in " ".join(listed.split())


def test_home_says_it_of_who_answers_now(tested, theo, client_of):
    make_served(model=tested.model)
    page = page_of(client_of(theo), "home")
    assert HEADLINE in page
    assert "Nobody should rely on it" in page
    assert "last: 3 of 10 answers right" in page


def test_the_pipeline_shows_five_with_replies_right_and_wrong(tested, theo, client_of):
    pipeline = Pipeline.objects.create(run=tested.model.run, created_by=theo, state=State.QUEUED)
    PipelineStep.objects.create(pipeline=pipeline, number=1, name="train", state=State.SUCCEEDED)
    page = page_of(client_of(theo), "pipeline-detail", pipeline.pk)
    assert HEADLINE in page
    shown = few_replies(tested)
    assert len(shown) == 5
    assert {one.outcome for one in shown} == {"right", "contradicts"}
    for one in shown:
        assert one.sample.prompt in page
        assert one.sample.reference in page
    empty = Pipeline.objects.create(created_by=theo, state=State.QUEUED)
    assert "What it answers" not in page_of(client_of(theo), "pipeline-detail", empty.pk)


def test_replies_from_before_are_judged_when_they_are_shown(tested):
    rows = [
        EvalSample(prompt="What?", reply=reply, reference="It costs $5.")
        for reply in ("$5", "$6", "Nice.", "I do not know.")
    ]
    told = [one.outcome for one in shown_replies(rows)]
    assert told == ["right", "contradicts", "misses the facts", "does not know"]


def test_a_model_that_was_never_tested_is_not_said_to_be_wrong(tested, theo, client_of, data_dir):
    tested.details = {"verdict": "It is readable."}
    tested.save()
    tested.samples.all().delete()
    page = page_of(client_of(theo), "model-detail", tested.model.pk)
    assert "It is readable." in page
    assert "validation questions" not in page
    assert "notice stack notice-bad" not in page
