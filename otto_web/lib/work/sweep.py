"""The reaper's part: work that was left is queued again or ended, and what waits is hinted at."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from otto_web.lib.hints import hint
from otto_web.lib.patience import DATABASE_AWAY, each_by_itself
from otto_web.lib.work.claims import AT_ONCE, take_back
from otto_web.lib.work.rows import Work, kinds, waiting

log = logging.getLogger(__name__)


def look_after_work(now: datetime) -> None:
    """Look at every kind; one that fails stops no other."""
    each_by_itself(kinds(), lambda kind: _look_after(kind, now))


def _look_after(kind: type[Work], now: datetime) -> None:
    try:
        look_after(kind, now)
    except DATABASE_AWAY:
        raise
    except Exception:  # the traceback is logged; the other kinds must go on
        log.exception("the sweep of %s failed", kind.__name__)


def look_after(kind: type[Work], now: datetime) -> None:
    """Take back what its worker left; wake workers for what was queued a while ago."""
    rows = kind._default_manager.all()  # noqa: SLF001
    take_back(rows)
    late = rows.filter(waiting(), queued_at__lt=now - timedelta(seconds=settings.OTTO_HINT_SECONDS))
    for pk in late.order_by(*kind.turn).values_list("pk", flat=True)[:AT_ONCE]:
        hint(kind.job, pk)
