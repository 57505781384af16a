"""Waits for what other processes do."""

from __future__ import annotations

import time

from django.db import connection


def until(condition, seconds=300):
    """Return the first true value of the condition; fail when there is none in time.

    Patience costs nothing where all is well, and a busy machine is no fault of the code.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        time.sleep(0.05)
    return value


def somebody_waits_for_a_lock():
    """Return whether a session of this server waits for what another one holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return cursor.rowcount > 0


def attached(page):
    """Wait until every behaviour that a page names has its script, so that keys are heard."""
    page.locator("[data-behaviour]:not([data-attached])").first.wait_for(state="detached")
