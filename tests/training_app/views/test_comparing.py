"""Runs side by side: which is better, where they differ, and what cannot be compared."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.training_app.conftest import make_version, toy_order
from tests.training_app.ended_runs import ended_run
from training_app.models import Run
from training_app.selectors.runs import RunFilter, run_list
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.usefixtures("redis_server", "data_dir"), pytest.mark.django_db]
WEAK = ("right",) * 8 + ("contradicts",) * 6 + ("abstains",) * 10
STRONG = ("right",) * 20 + ("wrong",) * 4


@pytest.fixture
def page_of(theo, client_of):
    """Give a function that opens the comparison of these runs and returns its words."""

    def opened(*runs, **query):
        asked = {"run": [str(getattr(run, "pk", run)) for run in runs], **query}
        answer = client_of(theo).get(reverse("run-compare"), asked)
        assert answer.status_code == 200
        return " ".join(answer.text.split())

    return opened


@pytest.mark.checklist(134)
def test_two_runs_stand_side_by_side_with_the_better_one_named(theo, version, page_of):
    first = ended_run(version, theo, name="first try", outcomes=WEAK)
    changed = {"learning_rate": 1e-3, "loss": 1.5}
    second = ended_run(version, theo, name="second try", outcomes=STRONG, **changed)
    page = page_of(first, second)
    assert "B is better than A: 12 more right of 24" in page
    assert "B is better than A at writing like the validation text: 0.198" in page
    assert "<strong>8</strong> of 24" in page
    assert "<strong>20</strong> of 24" in page
    assert "are not worth the same in 12." in page
    assert "Reply of first try." in page
    assert "Reply of second try." in page
    settings = page[page.index('id="compare-settings"') :]
    assert "Learning rate" in settings
    assert "Dropout" not in settings
    assert "Dropout" in page_of(first, second, settings="all")
    assert "A is better than B: 12 more right of 24" in page_of(second, first)


def test_what_cannot_be_compared_is_said(theo, version, page_of):
    first = ended_run(version, theo, outcomes=WEAK)
    other = ended_run(make_version(30), theo, outcomes=STRONG[:12], tokens="2")
    waiting = queue_run(toy_order(version), created_by=theo)
    page = page_of(first, other, waiting)
    assert "learned from different versions" in page
    assert "They were not asked the same questions (A 24, B 12)" in page
    assert "more right of 12" in page
    assert "different tokenizers" in page
    assert "validation text" not in page
    assert "C has made no model (queued)" in page
    assert "A and C were not asked the same questions" in page


def test_a_comparison_needs_two_runs_that_are_there_and_takes_six(theo, version, page_of):
    run = ended_run(version, theo)
    for asked in ((), (run,), (run, run), (run, uuid4()), (run, "nonsense")):
        assert "Choose two runs or more" in page_of(*asked)
    page = page_of(*(queue_run(toy_order(version), created_by=theo) for _ in range(7)))
    assert "At most 6 runs fit on this page; left out:" in page


def test_more_runs_ask_the_database_no_more_often(theo, version, page_of):
    runs = [ended_run(version, theo, outcomes=WEAK) for _ in range(4)]

    def queries(asked):
        with CaptureQueriesContext(connection) as found:
            page_of(*asked)
        return len(found)

    page_of(*runs)
    assert queries(runs[:2]) == queries(runs)


@pytest.mark.parametrize(("who", "status"), [("cora", 403), ("theo", 200)])
def test_only_a_trainer_compares(who, status, request, client_of):
    client = client_of(request.getfixturevalue(who))
    assert client.get(reverse("run-compare")).status_code == status
    assert client.post(reverse("run-compare")).status_code in {403, 405}


def test_the_list_narrows_sorts_and_keeps_what_is_selected(theo, ada, version, client_of):
    weak = ended_run(version, theo, name="weak", outcomes=WEAK, loss=1.0)
    other = make_version(30)
    strong = ended_run(other, ada, name="strong", outcomes=STRONG, loss=2.0)
    first, second = (queue_run(toy_order(version), created_by=theo) for _ in range(2))

    def names(**asked):
        return [line.run.name for line in run_list(theo, RunFilter(**asked)).lines]

    assert names(sort="answers")[:2] == ["strong", "weak"]
    assert names(sort="bits")[:2] == ["weak", "strong"]
    assert names(sort="oldest")[:2] == ["weak", "strong"]
    assert names(version=str(other.pk)) == ["strong"]
    assert names(person="ada") == ["strong"]
    assert names(state="succeeded", person="theo") == ["weak"]
    waits = {line.run.pk: line.waits for line in run_list(theo, RunFilter()).lines if line.waits}
    assert (waits[first.pk].place, waits[second.pk].place) == (1, 2)
    assert waits[second.pk].seconds > waits[first.pk].seconds == 0
    query = {"run": [str(weak.pk), str(strong.pk)], "person": "theo", "version": "x", "sort": "x"}
    page = client_of(theo).get(reverse("run-list"), query).text
    assert f'value="{weak.pk}" form="run-pick"\n         checked' in page
    assert f'<input type="hidden" name="run" value="{strong.pk}">' in page
    assert "20 of 24" not in page
    assert "8 of 24" in page
    assert Run.objects.count() == 4
