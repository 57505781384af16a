"""Counts of a dataset's rows, kept in this process until the rows change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from datasets_app.models import Dataset

KEPT_SECONDS = 3600
Counted = TypeVar("Counted")


def counted(dataset: Dataset, what: str, count: Callable[[], Counted]) -> Counted:
    """Return what `count` finds; it is asked once per change of the dataset's rows.

    The dataset was read before: a change since then has another number, so what is kept here may
    be newer than its number says, never older.
    """
    name = hashlib.sha256(what.encode()).hexdigest()
    key = f"{dataset.pk}-{dataset.changes}-{name}"
    found: Counted | None = cache.get(key)
    if found is None:
        found = count()
        cache.set(key, found, KEPT_SECONDS)
    return found
