"""The checklist ticks as a curator works, and advice is followed by one click."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from datasets_app.corpus.rules import policy
from datasets_app.models import Cluster, ClusterMember, Decision, RepeatSearch, Status
from datasets_app.selectors.checklist import checklist, fixes
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.scores import score_of
from datasets_app.services import curation, writing
from datasets_app.services.datasets import create_dataset
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
HTMX = {"HX-Request": "true"}


def ticks(dataset):
    dataset.refresh_from_db()
    return [tick.is_done for tick in checklist(dataset)]


@pytest.fixture
def dataset(cora):
    """Return thirty good rows, a copy of one of them, and two that break off."""
    made = support_dataset(cora)
    add_later = [
        pair("Where is my parcel number 3?", "Parcel 3 left our warehouse on day 3."),
        pair("When do you open on Monday?", "We open our doors at nine in the morning and"),
        pair("When do you close on Friday?", "We close the doors of the shop at six and the"),
    ]
    write(made, add_later)
    return made


def write(dataset, conversations):
    start = dataset.conversations.count()
    rows = [writing.NewRow(one, f"row-{start + n}") for n, one in enumerate(conversations)]
    with transaction.atomic():
        writing.write_rows(dataset, rows, policy.standard())


@pytest.mark.checklist(172)
def test_each_point_is_ticked_when_it_is_so(dataset, client_of, cora):
    assert ticks(dataset) == [True, True, True, False, False, False]
    notes = [tick.note for tick in checklist(dataset)]
    assert notes[0] == "31 are kept; 50 and more are better"
    assert notes[1] == "1 say what others say"
    assert notes[3:] == ["2 empty or broken off", "2 to review", "nobody has looked yet"]
    for tick, count in zip(checklist(dataset)[:5], (31, 1, 35, 2, 2), strict=True):
        page = client_of(cora).get(tick.url)
        assert page.context["page"].matching.number == count, tick
    review = dataset.conversations.filter(status=Status.REVIEW).values_list("pk", flat=True)
    curation.decide_rows(dataset, list(review), Decision.EXCLUDE, by=cora)
    RepeatSearch.objects.create(
        dataset=dataset, state=State.SUCCEEDED, total=1, finished_at=dataset.created_at
    )
    assert ticks(dataset) == [True] * 6
    cluster = Cluster.objects.create(dataset=dataset, kind="near", key="k", weight=1)
    for row in dataset.conversations.filter(status="kept")[:2]:
        ClusterMember.objects.create(cluster=cluster, conversation=row, revision=1, similarity=1)
    curation.undo(dataset.actions.latest("pk"), by=cora)
    assert ticks(dataset) == [True, True, True, False, False, False]


def test_few_rows_copies_and_one_long_text_are_no_ticks(cora):
    made = create_dataset("Poor", by=cora)
    assert ticks(made) == [False] * 6
    long = " ".join(f"Part {n} of the manual says what to do with screw {n}." for n in range(200))
    same = pair("Where is my parcel today?", "It left our warehouse this morning.")
    add(made, [*[same] * 9, pair("How do I build the shelf?", long)])
    assert ticks(made)[:4] == [False, False, False, True]


@pytest.mark.checklist(165)
def test_advice_is_followed_by_one_click_and_undone(dataset, client_of, cora):
    more = [pair(f"When is parcel {n} here?", f"Parcel {n} is here when the") for n in range(6)]
    write(dataset, more)
    found = {fix.advice.rule: fix for fix in fixes(dataset, score_of(dataset).advice)}
    fix = found["truncated"]
    assert fix.waiting == 8
    curator, decide = client_of(cora), reverse("rows-decide", args=[dataset.pk])
    page = curator.get(reverse("dataset-detail", args=[dataset.pk]), {"sort": "latest"})
    assert f"{decide}?{fix.deed}".replace("&", "&amp;") in page.content.decode()
    assert 'id="checklist-count">' in page.content.decode()
    deed = {"decision": "exclude", "scope": "matching", "previewed": 8, "back": "sort=latest"}
    done = curator.post(f"{decide}?{fix.deed}", deed, headers=HTMX)
    assert done["HX-Trigger-After-Settle"] == "otto:counted"
    assert done.context["filter"].sort == "latest"
    assert RowFilter.from_query({"status": "review"}).rows(dataset).count() == 0
    fresh = curator.get(reverse("dataset-checklist", args=[dataset.pk]), headers=HTMX)
    assert "5 of 6" in fresh.content.decode()
    curation.undo(dataset.actions.latest("pk"), by=cora)
    assert RowFilter.from_query({"status": "review"}).rows(dataset).count() == 8
