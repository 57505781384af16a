"""Changes of a dataset's rows stand in a line, and each outdates what was counted before."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from datasets_app.models import Dataset


def begin_change(dataset_id: UUID | str) -> Dataset:
    """Wait for other changes of the dataset's rows; return the dataset as they left it.

    Called inside the transaction of the change, before it reads what it builds on. The update
    locks the row, and unlike FOR UPDATE lets rows elsewhere go on naming the dataset.
    """
    Dataset.objects.filter(pk=dataset_id).update(changes=F("changes") + 1)
    return Dataset.objects.get(pk=dataset_id)
