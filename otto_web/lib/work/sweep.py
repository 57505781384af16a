"""The reaper's part: work that was left is queued again or ended, and what waits is hinted at."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from otto_web.lib.hints import hint_again
from otto_web.lib.patience import each_by_itself
from otto_web.lib.work.claims import AT_ONCE, take_back
from otto_web.lib.work.rows import Work, kinds, waiting


def look_after_work(now: datetime) -> None:
    """Look at every kind; one that fails stops no other."""
    each_by_itself(kinds(), lambda kind: look_after(kind, now))


def look_after(kind: type[Work], now: datetime) -> None:
    """Take back what its worker left; wake workers for what was queued a while ago."""
    rows = kind._default_manager.all()  # noqa: SLF001
    take_back(rows)
    late = rows.filter(waiting(), queued_at__lt=now - timedelta(seconds=settings.OTTO_HINT_SECONDS))
    hint_again(kind.job, list(late.order_by(*kind.turn).values_list("pk", flat=True)[:AT_ONCE]))
