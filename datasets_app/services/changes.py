"""Changes of a dataset's rows stand in a line, and each outdates what was counted before."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from datasets_app.models import Dataset
from datasets_app.selectors.estimates import is_large
from datasets_app.services.tallies import follow


def begin_change(dataset_id: UUID | str, *, is_told: bool = False) -> Dataset:
    """Wait for other changes of the dataset's rows; return the dataset as they left it.

    Called inside the transaction of the change, before it reads what it builds on. The update
    locks the row, and unlike FOR UPDATE lets rows elsewhere go on naming the dataset. With
    `is_told` the caller promises that the tally is told of every row whose status, decision or
    reasons change; otherwise it is counted anew later.
    """
    Dataset.objects.filter(pk=dataset_id).update(changes=F("changes") + 1)
    held = Dataset.objects.get(pk=dataset_id)
    if is_told and is_large(held):
        follow(held)
    return held
