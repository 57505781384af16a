"""Every page asks the database as often as query_counts.txt says, however full it is.

To renew the table: `OTTO_TABLE=new .venv/bin/pytest tests/otto_web/test_query_counts.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.one_of_each import add_one_of_each, addresses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
TABLE = Path(__file__).with_name("query_counts.txt")


@pytest.fixture
def fill(ada, data_dir):
    """Give a function that adds one of everything and returns its keys, as addresses name them."""

    return lambda number: add_one_of_each(number, ada)


def counts(client, keys):
    """Return the number of queries of every address that can be opened."""
    found = {}
    for name, address in addresses(keys).items():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(address)
        if answer.status_code == 405:
            continue
        assert answer.status_code in {200, 302}, f"{address}: {answer.status_code}"
        found[name] = len(asked)
    return found


def text_of(found):
    return "".join(f"{name:24}{number:3}\n" for name, number in sorted(found.items()))


@pytest.mark.slow
def test_every_page_asks_as_often_as_the_table_says(fill, ada, client_of):
    fill(1)
    keys = fill(2)
    client = client_of(ada)
    counts(client, keys)  # what pages remember is remembered from now on
    found = counts(client, keys)
    fill(3)
    counts(client, keys)
    assert counts(client, keys) == found, "a fuller installation asks more often"
    if os.environ.get("OTTO_TABLE") == "new":
        TABLE.write_text(text_of(found), "utf-8")
    assert text_of(found) == TABLE.read_text("utf-8"), "renew the table: see the top of this file"
