"""Every way of answering is asked the same, by a worker or the command, and stands in a table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from uuid import uuid4

import pytest
from django.urls import reverse

from datasets_app.jobs.knowledge import build_knowledge
from datasets_app.services.knowledge import order_knowledge
from otto_web.lib.work.states import State
from tests.chat_app.makers import make_model
from tests.datasets_app.knowledge.toys import talk
from tests.training_app.conftest import ROOT, make_version, toy_spec
from tests.training_app.lm.conftest import Diary
from training_app.jobs.answer_checks import check_answers
from training_app.lm.contract import TokenSource
from training_app.lm.driver import train_run
from training_app.models import AnswerCheck, Run, TrainedModel, paths
from training_app.selectors.comparison import comparison_of
from training_app.services.answer_checks import order_check

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
WAYS = [
    *("scratch", "base", "base_with_knowledge", "tuned", "tuned_with_knowledge"),
    "quoting",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a small model that learned a few answers."""
    talks = [talk(f"Where is order {n}?", f"Your order {n} is on its way.") for n in range(24)]
    spec = toy_spec()
    spec = replace(spec, model=replace(spec.model, context=256))  # room for known answers
    work = tmp_path_factory.mktemp("trained")
    train_run(spec, TokenSource(talks[4:], talks[:4], "toy"), work, Diary(work), lambda: None)
    return work / "model"


@pytest.fixture
def world(data_dir, trained):
    """Return a version with knowledge, and models of it: a base, one from scratch, one tuned."""
    version, spec = make_version(), toy_spec()
    shutil.copytree(trained, paths.absolute("models/toy"))
    order_knowledge(version, by=None)
    build_knowledge(version.pk)

    def model(name, *, run=None, **columns):
        made = make_model(name, run=run, **columns)
        TrainedModel.objects.filter(pk=made.pk).update(path="models/toy")
        made.refresh_from_db()
        return made

    def run(start=None):
        told = spec.as_json()
        return Run.objects.create(name=uuid4().hex, version=version, spec=told, start_model=start)

    base = model("base")
    tuned = model("tuned", run=run(base), parent=base)
    return version, base, model("scratch", run=run()), tuned


def measured(check):
    assert check_answers(check.pk)
    check.refresh_from_db()
    return check


@pytest.mark.slow
def test_each_way_is_asked_the_same_questions(world, theo):
    version, base, scratch, tuned = world
    table = comparison_of(tuned)
    assert [line.way.slug for line in table.lines] == WAYS
    assert [line.way.model for line in table.lines] == [scratch, base, base, tuned, tuned, None]
    assert len(table.unmeasured) == 6
    for line in table.unmeasured:
        known = line.way.with_knowledge
        check = measured(order_check(version, line.way.model, with_knowledge=known, by=theo))
        assert (check.state, check.message) == (State.SUCCEEDED, "")
        assert check.answers.total == len(check.replies) == 4
    table = comparison_of(tuned)
    assert table.unmeasured == table.asked_otherwise == []
    assert all(line.found.at for line in table.lines)


@pytest.mark.slow
def test_a_way_is_measured_once_however_often_it_is_ordered(world, theo):
    version, base, _, _ = world
    checks = {order_check(version, base, with_knowledge=True, by=theo).pk for _ in range(3)}
    assert len(checks) == AnswerCheck.objects.count() == 1
    quoted = {order_check(version, None, with_knowledge=True, by=theo).pk for _ in range(2)}
    assert len(quoted) == 1
    check = measured(AnswerCheck.objects.get(model=base))
    assert not check_answers(check.pk), "what is over is not asked again by a late hint"
    anew = order_check(version, base, with_knowledge=True, by=theo)
    assert (anew.state, anew.answers) == (State.QUEUED, check.answers), "the last figures stay"


@pytest.mark.slow
def test_other_questions_are_said(world, theo):
    version, base, _, tuned = world
    checks = [order_check(version, one, with_knowledge=False, by=theo) for one in (base, tuned)]
    for check in checks:
        measured(check)
    measured(order_check(version, None, with_knowledge=True, by=theo))
    AnswerCheck.objects.filter(pk=checks[0].pk).update(questions="0" * 64)
    assert comparison_of(tuned).asked_otherwise == ["Base as it is"]


def test_what_cannot_be_measured_says_why(theo):
    version = make_version()
    model = make_model("alone", run=Run.objects.create(name="r", version=version, spec={}))
    table = comparison_of(model)
    assert [line.way.slug for line in table.lines if not line.way.missing] == ["scratch"]
    check = measured(order_check(version, None, with_knowledge=True, by=theo))
    assert check.state == State.FAILED
    assert check.message == "The knowledge of this version is not built yet. Build it first."
    assert comparison_of(model).lines[-1].trouble == check.message


@pytest.mark.slow
def test_the_page_orders_one_way_or_all_that_are_missing(world, theo, cora, client_of):
    version, _, _, tuned = world
    client, order = client_of(theo), reverse("model-measure", args=[tuned.pk])
    page = client.get(reverse("model-detail", args=[tuned.pk])).content.decode()
    assert page.count("not measured yet") == 6
    client.post(order, {"version": version.pk, "way": "base_with_knowledge"})
    (check,) = AnswerCheck.objects.all()
    assert (check.model.name, check.with_knowledge, check.created_by) == ("base", True, theo)
    page = client.post(order, {"version": version.pk}, follow=True).content.decode()
    assert AnswerCheck.objects.filter(state=State.QUEUED).count() == 6
    assert page.count("being measured") == 6
    assert client_of(cora).post(order).status_code == 403
    assert client.post(order, {"version": "no id"}).status_code == 404


@pytest.mark.slow
def test_the_command_measures_what_is_missing_and_says_all(world, process_env):
    version, _, _, tuned = world

    def say(*words):
        command = [sys.executable, "manage.py", "evaluate", str(tuned), "--compare", *words]
        return subprocess.check_output(command, cwd=ROOT, env=process_env, text=True)

    told = json.loads(say("--json"))
    assert (told["version"], told["same_questions"]) == (str(version.pk), True)
    assert [way["way"] for way in told["ways"]] == WAYS
    assert {way["answers"]["total"] for way in told["ways"]} == {4}
    assert "Quoting, no model: " in say()
