"""Rows like one row: those that mean the same, and what the table says when it cannot know."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from datasets_app.jobs.repeats import find_repeats
from datasets_app.models import Encoder, Status
from datasets_app.selectors.facets import panel
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.table import table_page
from datasets_app.services.datasets import create_dataset
from datasets_app.services.editing import Seen, edit_row
from datasets_app.services.repeats import order_search
from tests.datasets_app.knowledge.toys import toy_encoder
from tests.datasets_app.makers import add, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
TALKS = [
    pair("Where is my order?", "It left our house this morning."),
    pair("red tent price when open", "It is 289 euros."),
    pair("Where is it, my order?", "It is with the carrier now."),
    pair("Where is my parcel?", "It comes on Tuesday."),
    pair("Hello", "Hello, what can I do for you?"),
]


@pytest.fixture
def dataset(cora):
    made = create_dataset("Support", by=cora)
    add(made, TALKS)
    return made


@pytest.fixture
def encoder(data_dir):
    folder = toy_encoder(data_dir / "encoders" / "toy", dims=512)
    facts = json.loads((folder / "encoder.json").read_text())
    return Encoder.objects.create(path="encoders/toy", **facts)


@pytest.fixture
def searched(dataset, encoder, cora):
    search(dataset, cora)
    return dataset


def search(dataset, by):
    order_search(dataset, by=by)
    find_repeats(dataset.pk)


def row_at(dataset, position):
    return dataset.conversations.get(position=position)


def like(row, **more):
    return RowFilter.from_query({"like": str(row.pk), "sort": "nearest", **more})


def shown(dataset, rows):
    dataset.refresh_from_db()
    return [row.position for row in table_page(dataset, rows).rows]


def said(client, dataset, query):
    told = client.get(f"{reverse('dataset-detail', args=[dataset.pk])}?{query}").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", told).split())


@pytest.mark.slow
def test_the_nearest_come_first_with_their_nearness_and_the_address_says_it_all(
    searched, cora, client_of
):
    rows = like(row_at(searched, 1))
    assert shown(searched, rows) == [1, 3, 4]
    assert shown(searched, RowFilter.from_query({"like": rows.like, "sort": "farthest"})) == [
        4,
        3,
        1,
    ]
    assert shown(searched, like(row_at(searched, 1), near="90")) == [1, 3]
    told = said(client_of(cora), searched, rows.query())
    assert (
        "Like conversation 1 , “ Where is my order? ”: 3 rows, the nearest in meaning first."
        in told
    )
    assert "100 %" in told
    assert panel(searched, rows).matching == 3
    paged = RowFilter.from_query({"like": rows.like, "sort": "nearest", "size": "50"})
    assert paged.neighbours(row_at(searched, 3)) == {
        "before": row_at(searched, 1).pk,
        "following": row_at(searched, 4).pk,
    }


def test_what_is_done_to_all_that_match_is_done_to_the_rows_that_were_shown(
    searched, cora, client_of
):
    rows = like(row_at(searched, 1))
    where = f"{reverse('rows-decide', args=[searched.pk])}?{rows.query()}"
    order = {"decision": "exclude", "scope": "matching", "previewed": "3"}
    client = client_of(cora)
    assert client.post(where, {**order, "previewed": "4"}).status_code == 422
    assert client.post(where, order).status_code == 302
    excluded = searched.conversations.filter(status=Status.EXCLUDED).order_by("position")
    assert list(excluded.values_list("position", flat=True)) == [1, 3, 4]
    assert shown(searched, rows) == [1, 3, 4]


def test_a_row_is_known_by_its_question_while_its_answer_is_corrected(searched, cora):
    row = row_at(searched, 3)
    edit_row(searched, Seen(row.pk, 1), pair("Where is it, my order?", "It was lost."), by=cora)
    assert shown(searched, like(row_at(searched, 1))) == [1, 3, 4]
    edit_row(searched, Seen(row.pk, 2), pair("red tent price when open", "289 euros."), by=cora)
    assert shown(searched, like(row_at(searched, 1))) == [1, 4]


@pytest.mark.slow
def test_each_thing_that_is_missing_is_said_with_the_next_step(dataset, cora, client_of, request):
    client, first = client_of(cora), like(row_at(dataset, 1)).query()
    assert "none is here yet. Fetch or bring an encoder" in said(client, dataset, first)
    request.getfixturevalue("encoder")
    assert "was never read. Finding repeats does it. Find repeats" in said(client, dataset, first)
    order_search(dataset, by=cora)
    assert "0 of 5. See how far it is" in said(client, dataset, first)
    find_repeats(dataset.pk)
    assert "asks nothing" in said(client, dataset, like(row_at(dataset, 5)).query())
    add(create_dataset("Other", by=cora), TALKS[:1])
    assert "compared with is gone" in said(client, dataset, "like=999999999999&sort=nearest")
    for query in ("like=x", "like=-1", "like=1%00", "near=70", "sort=nearest", "like=1&near=7,9"):
        assert said(client, dataset, query)


def test_rows_that_came_or_changed_since_are_counted_as_missing(searched, cora, client_of):
    changed = pair("Where is my second order?", "It is here.")
    edit_row(searched, Seen(row_at(searched, 2).pk, 1), changed, by=cora)
    told = said(client_of(cora), searched, like(row_at(searched, 1)).query())
    assert "1 conversation came or changed since meanings were read, and is missing here" in told
