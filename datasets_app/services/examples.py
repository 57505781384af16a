"""A dataset of the bundled example conversations, to look at and to change."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.rules import policy
from datasets_app.models import Dataset, Origin
from datasets_app.sample.examples import NAME, example_conversations
from datasets_app.services.datasets import create_dataset
from datasets_app.services.writing import NewRow, write_rows


@transaction.atomic(durable=True)
def add_examples(*, by: User) -> Dataset:
    """Make a dataset with the eight, as rows that people wrote; every call makes another."""
    dataset = create_dataset(NAME, by=by)
    rows = [
        NewRow(talk, f"example {number}", origin=Origin.HAND)
        for number, talk in enumerate(example_conversations(), start=1)
    ]
    write_rows(dataset, rows, policy.standard())
    return dataset
