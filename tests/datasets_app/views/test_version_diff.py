"""The page that tells two versions apart."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.registry import label_of
from datasets_app.jobs import freezing
from datasets_app.models import Decision
from datasets_app.selectors.version_diff import counts_of
from datasets_app.services import curation, editing
from datasets_app.services.datasets import create_dataset
from datasets_app.services.versions import order_version
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def edited(row, text, by):
    wanted = pair(row.turns[0]["text"], text)
    return editing.edit_row(row.dataset, editing.Seen(row.pk, row.revision), wanted, by=by)


@pytest.fixture
def two(dataset, cora):
    """Return two versions: of the later one a row is gone, one came, one was edited, one moved."""
    was = freezing.freeze_version(dataset, user=cora)
    rows = list(dataset.conversations.filter(status="kept").order_by("position")[:4])
    curation.decide_rows(dataset, [rows[0].pk], Decision.EXCLUDE, by=cora)
    back = dataset.conversations.get(position=32)
    curation.decide_rows(dataset, [back.pk], Decision.KEEP, by=cora)
    edited(rows[1], "Parcel 1 left our warehouse late, on day 2.", cora)
    held = dataset.conversations.filter(split="validation").first()
    dataset.conversations.filter(pk=held.pk).update(split="train")
    dataset.policy = policy.standard().changed("echo", on=False).as_json()
    dataset.save()
    return was, freezing.freeze_version(dataset, user=cora)


def page_of(client, was, now, query=""):
    answer = client.get(reverse("version-diff", args=[was.pk, now.pk]) + query)
    assert answer.status_code == 200
    return answer.context, " ".join(answer.content.decode().split())


def test_rows_that_came_went_changed_and_moved_are_told(two, curator):
    context, page = page_of(curator, *two)
    counts = context["counts"]
    assert (counts.added, counts.removed, counts.changed, counts.moved) == (1, 1, 1, 1)
    assert counts.same == 28
    assert counts.sides == [("validation", "train", 1)]
    assert "held back to measure with is learnt from now" in page
    assert "Tell me about returns" in page  # the added one comes first
    _, page = page_of(curator, *two, "?kind=removed")
    assert "Where is my parcel number 0?" in page
    _, page = page_of(curator, *two, "?kind=moved")
    assert "1 from validation to train" in page
    _, page = page_of(curator, *two, "?kind=changed")
    assert "added: </span>late" in page


def test_settings_and_findings_that_differ_are_told(two, dataset, curator, cora):
    was, now = two
    context, page = page_of(curator, was, now)
    assert [(one.was, one.now) for one in context["settings"]] == [("excludes the row", "off")]
    assert "Settings that differ" in page
    everything = freezing.freeze_version(dataset, choice="all", user=cora)
    context, page = page_of(curator, now, everything)
    told = [(one.name, one.now) for one in context["settings"]]
    assert told == [("Rows", "all, also excluded")]
    assert context["findings"] == []  # the short one is kept by a person
    curation.undo(dataset.actions.filter(title__contains="accepted").get(), by=cora)
    context, page = page_of(curator, now, freezing.freeze_version(dataset, choice="all", user=cora))
    assert context["findings"] == [(label_of("too_short"), 0, 1)]
    assert "Rows with a finding" in page


def test_the_other_way_round_is_the_opposite(two):
    was, now = two
    back = counts_of(now, was)
    assert (back.added, back.removed, back.changed, back.moved) == (1, 1, 1, 1)
    assert back.sides == [("train", "validation", 1)]


@pytest.mark.slow
def test_equal_versions_say_so(dataset, curator, cora):
    was = freezing.freeze_version(dataset, user=cora)
    now = freezing.freeze_version(dataset, user=cora)
    _, page = page_of(curator, was, now)
    assert "Both hold the same rows on the same sides" in page
    _, page = page_of(curator, was, was)
    assert "Both hold the same rows on the same sides" in page


@pytest.mark.slow
def test_versions_of_two_datasets_are_matched_by_their_words(dataset, curator, cora):
    other = create_dataset("Other", by=cora)
    same = [
        pair(f"Where is my parcel number {n}?", f"Parcel {n} left our warehouse on day {n}.")
        for n in (1, 1, 2)
    ]
    add(other, [*same, pair("Is it open?", "It is open until nine.")])
    was = freezing.freeze_version(dataset, user=cora)
    now = freezing.freeze_version(other, user=cora)
    context, page = page_of(curator, was, now)
    counts = context["counts"]
    assert (counts.was, counts.now) == (30, 4)
    assert (counts.added, counts.removed, counts.changed) == (
        2,
        28,
        0,
    )  # one of the two copies is new
    assert "They share no row" in page


@pytest.mark.slow
def test_more_rows_than_a_page_are_turned_over(curator, cora):
    made = create_dataset("Larger", by=cora)
    add(made, [pair(f"Is garden {n} open?", f"Garden {n} is open all day.") for n in range(60)])
    was = freezing.freeze_version(made, user=cora)
    learnt = made.conversations.filter(split="train").order_by("position")
    gone = list(learnt.values_list("pk", flat=True)[:40])
    curation.decide_rows(made, gone, Decision.EXCLUDE, by=cora)
    now = freezing.freeze_version(made, user=cora)
    context, page = page_of(curator, was, now, "?kind=removed")
    assert len(context["page"].rows) == 25
    assert "page=1" in page
    for number in ("1", "99999999"):
        context, _ = page_of(curator, was, now, f"?kind=removed&page={number}")
        assert len(context["page"].rows) == 15
    page_of(curator, was, now, "?kind=odd&page=x")


def test_what_is_compared_is_chosen_from_a_list(two, curator):
    was, now = two
    address = reverse("version-compare", args=[now.pk])
    assert was.name in curator.get(address).content.decode()
    answer = curator.get(f"{address}?with={was.pk}")
    assert answer["Location"] == reverse("version-diff", args=[was.pk, now.pk])


def test_only_curators_compare_and_only_what_is_frozen(
    dataset, curator, client_of, mia, cora, redis_server
):
    done = freezing.freeze_version(dataset, user=cora)
    waiting = order_version(dataset, user=cora)
    address = reverse("version-diff", args=[done.pk, waiting.pk])
    assert curator.get(address).status_code == 404
    assert client_of(mia).get(address).status_code == 403
