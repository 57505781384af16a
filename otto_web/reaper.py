"""The reaper: looks, again and again, for work that was left lying, and cleans up.

An app takes part by a module `sweeps` with a name `SWEEPS`: a tuple of functions
`sweep(now: datetime) -> None`, called in order at each tick with the database's time. A sweep may
be interrupted anywhere and is called again; one that fails, or waits for a locked row longer than
a reaper may (`otto_web.lib.patience.REAPER`), is logged and stops no other.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection

from otto_web.lib.patience import each_by_itself

Sweep = Callable[[datetime], None]
LOCK_NUMBER = 0x0770_0001


def find_sweeps() -> list[Sweep]:
    """Return the sweeps of all installed apps, leftmost app first."""
    return [sweep for name in _sweep_modules() for sweep in importlib.import_module(name).SWEEPS]


def _sweep_modules() -> Iterator[str]:
    for app in apps.get_app_configs():
        name = f"{app.name}.sweeps"
        if importlib.util.find_spec(name):
            yield name


def take_turn() -> bool:
    """Become the one reaper of the installation; the turn ends with this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_NUMBER])
        row = cursor.fetchone()
    return bool(row and row[0])


def database_times() -> tuple[datetime, timedelta]:
    """Return the database's time, and for how long it has been up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), clock_timestamp() - pg_postmaster_start_time()")
        now, up = cursor.fetchone()
    return now, up


def tick(sweeps: list[Sweep]) -> None:
    """Run every sweep once, unless the database has only just come up.

    After a restart of the database every lease looks expired, although its holder is well.
    """
    now, up = database_times()
    if up < timedelta(seconds=settings.OTTO_REAPER_GRACE_SECONDS):
        return
    each_by_itself(sweeps, lambda sweep: sweep(now))
