"""A table that was just filled is found by its indexes at once, not when the server gets to it."""

from __future__ import annotations

import pytest
from django.db import connection

from datasets_app.models import Dataset
from otto_web.lib.statistics import FEW, renew_statistics

pytestmark = pytest.mark.django_db(transaction=True)


def fill(count):
    Dataset.objects.bulk_create(Dataset(name=f"d{number}") for number in range(count))


def known():
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'datasets_app_dataset'")
        return cursor.fetchone()[0]


def test_a_table_that_grew_beyond_what_is_known_of_it_is_counted_once():
    fill(FEW + 50)
    assert renew_statistics(Dataset)
    assert known() == FEW + 50
    assert not renew_statistics(Dataset)


def test_few_rows_are_not_worth_it():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE datasets_app_dataset")
    fill(20)
    assert not renew_statistics(Dataset)
