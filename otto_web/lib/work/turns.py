"""Long work in turns: after some seconds another order may have the worker."""

from __future__ import annotations

from django.db import transaction

from otto_web.lib.hints import hint
from otto_web.lib.work.claims import give_back
from otto_web.lib.work.rows import Work


@transaction.atomic(durable=True)
def give_way(row: Work) -> None:
    """Queue unfinished work behind what waits; its turn counts as no attempt."""
    give_back(row, counts=False)
    hint(row.job, row.pk)
