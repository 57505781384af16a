"""Views with names: saved as shown, shared, renamed, deleted; columns and orders."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl

import pytest
from django.urls import reverse

from datasets_app.models import SavedView
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.row_order import ORDERS
from datasets_app.selectors.table import table_page
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
SHOWN = "status=excluded&q=parcel&quality=0-60&sort=longest&cols=words%2Csource%2Cstatus"


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def save(client, dataset, name, query=SHOWN, **more):
    address = reverse("view-save", args=[dataset.pk])
    return client.post(f"{address}?{query}", {"name": name, **more}, follow=True)


def test_a_view_keeps_filter_order_and_columns_and_opens_in_one_click(dataset, curator):
    answer = save(curator, dataset, "Long and bad")
    assert "The view “Long and bad” is saved." in answer.content.decode()
    view = SavedView.objects.get()
    assert parse_qs(view.query) == parse_qs(SHOWN)
    assert f"?{view.query.replace('&', '&amp;')}" in answer.content.decode()
    rows = RowFilter.from_query(dict(parse_qsl(view.query)))
    assert (rows.status, rows.sort) == ("excluded", "longest")
    assert rows.columns == "words,source,status"


@pytest.mark.slow
def test_others_see_only_what_is_shared_and_change_nothing(dataset, curator, client_of, theo):
    save(curator, dataset, "Mine alone")
    save(curator, dataset, "For all", shared="on")
    other = client_of(theo)
    page = other.get(reverse("dataset-detail", args=[dataset.pk])).content.decode()
    assert "For all" in page
    assert "Mine alone" not in page
    for view in SavedView.objects.all():
        address = reverse("view-change", args=[view.pk])
        assert other.post(address, {"do": "delete"}).status_code == 404
    assert SavedView.objects.count() == 2


@pytest.mark.slow
def test_a_view_is_renamed_shared_and_deleted_by_its_owner(dataset, curator):
    save(curator, dataset, "Before")
    view = SavedView.objects.get()
    address = reverse("view-change", args=[view.pk])
    curator.post(address, {"do": "save", "name": "After", "shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("After", True)
    answer = curator.post(address, {"do": "delete"}, follow=True)
    assert "is deleted" in answer.content.decode()
    assert not SavedView.objects.exists()


@pytest.mark.slow
def test_a_name_that_is_empty_or_taken_changes_nothing_and_says_so(dataset, curator):
    save(curator, dataset, "Twice")
    assert "called “Twice” here already" in save(curator, dataset, "Twice").content.decode()
    assert "Give the view a name" in save(curator, dataset, " ").content.decode()
    assert SavedView.objects.count() == 1


def test_some_views_are_there_from_the_start(dataset, curator):
    page = curator.get(reverse("dataset-detail", args=[dataset.pk])).content.decode()
    for name in ("Needs a look", "Worst first", "Edited by people"):
        assert name in page


def test_the_columns_are_those_that_were_chosen(dataset, curator):
    address = reverse("dataset-detail", args=[dataset.pk])
    page = curator.get(address, {"cols": ["-", "language", "words"]}).content.decode()
    assert 'data-label="Language"' in page
    assert "English" in page
    assert 'data-label="Turns"' not in page
    assert 'data-label="Status"' not in page
    bare = curator.get(address, {"cols": "-"}).content.decode()
    assert 'data-label="Quality"' not in bare
    assert 'data-label="Answer"' in bare


@pytest.mark.slow
@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_visits_each_row_once_page_by_page_and_back(dataset, sort):
    dataset.conversations.filter(position__lte=9).update(split="train", language="de")
    seen, pages = [], []
    order = ORDERS[sort]
    wanted = order.keyed(dataset.conversations.all()).order_by(*order.terms)
    rows = RowFilter(sort=sort, size=10)
    while True:
        page = table_page(dataset, rows)
        pages.append([row.pk for row in page.rows])
        seen += pages[-1]
        if not page.following:
            break
        rows = RowFilter(sort=sort, size=10, after=_after(sort, page.following))
    assert seen == [row.pk for row in wanted]
    assert page.passed.number == 30
    back = RowFilter(sort=sort, size=10, after=_after(sort, page.before))
    assert [row.pk for row in table_page(dataset, back).rows] == pages[-2]


def _after(sort, query):
    return RowFilter.from_query(dict(parse_qsl(query)) | {"sort": sort}).after


def test_next_and_previous_of_a_row_follow_the_order_of_the_table(dataset):
    rows = RowFilter(sort="quality")
    first, second, third = [row.pk for row in table_page(dataset, rows).rows][:3]
    beside = rows.neighbours(dataset.conversations.get(pk=second))
    assert beside == {"before": first, "following": third}


def test_the_heads_sort_and_turn_the_order_around(dataset, curator):
    address = reverse("dataset-detail", args=[dataset.pk])
    page = curator.get(address, {"sort": "quality"}).content.decode()
    assert 'aria-sort="ascending"' in page
    assert "sort=best" in page


def test_the_number_of_a_conversation_stands_once_on_its_page(dataset, curator):
    row = dataset.conversations.first()
    address = reverse("conversation-detail", args=[dataset.pk, row.pk])
    words = f"Conversation {row.position}"
    body = curator.get(address).content.decode().partition("<body")[2]
    assert body.count(words) == 1
    assert words in curator.get(address, headers={"HX-Request": "true"}).content.decode()
