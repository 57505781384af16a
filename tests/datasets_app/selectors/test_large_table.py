"""The table of a large dataset: every order it offers has an index, or few rows to sort."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Exists
from django.urls import reverse

from datasets_app.selectors import estimates, row_filter, table
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.row_order import ORDERS, UNINDEXED
from datasets_app.services import tallies
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def dataset(cora, monkeypatch):
    for module in (estimates, tallies):
        monkeypatch.setattr(module, "MOST_EXACT", 5)
    monkeypatch.setattr(table, "MOST_SORTED", 8)
    monkeypatch.setattr(row_filter, "MOST_LISTED", 4)
    made = support_dataset(cora)
    add(made, [pair("Where is my parcel number 0?", "It is with the neighbour.")] * 2, first=100)
    tallies.count_behind()
    return made


@pytest.mark.slow
def test_an_order_without_an_index_is_for_few_rows_and_says_so(dataset, client_of, cora):
    at, client = reverse("dataset-detail", args=[dataset.pk]), client_of(cora)
    assert dataset.conversations.count() > 8
    shown = client.get(f"{at}?sort=status&cols=status,words")
    text = " ".join(shown.content.decode().split())
    assert "rows cannot be sorted by “status, excluded first”" in text
    assert shown.context["filter"].sort == "order"
    offered = {name for name, _ in shown.context["sorts"]}
    assert not offered & UNINDEXED
    assert offered >= {"question", "answer-z", "longest", "best", "language", "latest"}
    heads = {head.column.name: head.query for head in shown.context["page"].heads}
    assert heads["status"] == ""
    assert heads["words"]
    few = client.get(f"{at}?sort=status&reason=empty")
    assert few.context["filter"].sort == "status"
    assert {name for name, _ in few.context["sorts"]} >= UNINDEXED


@pytest.mark.slow
def test_what_is_listed_is_what_the_condition_finds(dataset):
    rows = RowFilter(copies="1")
    listed = [row.pk for row in rows.page(dataset)]
    assert listed == [row.pk for row in dataset.conversations.filter(row_filter.is_copy())]
    assert len(listed) >= 1
    for sort in ("order", "question", "longest"):
        few = RowFilter(reason="empty", sort=sort)
        assert {row.pk for row in few.page(dataset)} == set(
            dataset.conversations.filter(reasons__contains=["empty"]).values_list("pk", flat=True)
        )


def test_many_copies_of_few_texts_are_not_listed(dataset):
    dataset.refresh_from_db()
    assert not isinstance(row_filter.copies_in(dataset), Exists)
    add(dataset, [pair("Where is my parcel number 1?", "It was sent back.")] * 6, first=200)
    dataset.refresh_from_db()
    assert isinstance(row_filter.copies_in(dataset), Exists)
    assert RowFilter(copies="1").rows(dataset).count() == 1 + 5


@pytest.mark.parametrize("name", sorted(set(ORDERS) - UNINDEXED))
def test_an_offered_order_is_read_from_an_index(name, dataset):
    order = ORDERS[name]
    page = RowFilter().rows(dataset).order_by(*order.terms).values_list("pk")[:5]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_sort = off")
        plan = page.explain()
        cursor.execute("RESET enable_seqscan; RESET enable_sort")
    assert "Index" in plan
    assert "Sort" not in plan, plan
