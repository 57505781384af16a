"""Long work in turns: after some seconds another order may have the worker."""

from __future__ import annotations

from celery import current_app
from django.db import transaction

from otto_web.lib.hints import hint
from otto_web.lib.work.claims import give_back
from otto_web.lib.work.rows import Work, kinds, waiting


@transaction.atomic(durable=True)
def give_way(row: Work) -> None:
    """Queue unfinished work behind what waits; its turn counts as no attempt."""
    give_back(row, counts=False)
    hint(row.job, row.pk)


def others_wait(row: Work) -> bool:
    """Say whether the workers of its queue have anything else to do than this work."""
    routes = current_app.conf.task_routes
    mine = [kind for kind in kinds() if routes.get(kind.job) == routes.get(row.job)]
    return any(kind._default_manager.filter(waiting()).exists() for kind in mine)  # noqa: SLF001
