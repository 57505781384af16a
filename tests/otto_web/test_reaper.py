"""The reaper runs every app's sweeps, alone and patiently."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from django.db import connection
from django.utils import timezone

from otto_web import reaper
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.lib.sweeps import forget_dead_processes
from tests.waiting import until


def test_the_sweeps_of_the_installed_apps_are_found():
    assert forget_dead_processes in reaper.find_sweeps()


def test_a_failing_sweep_stops_no_other(db, caplog):
    done = []

    def broken(now):
        raise ValueError("this sweep is broken")

    reaper.tick([broken, done.append])
    assert len(done) == 1
    assert "this sweep is broken" in caplog.text


def test_nothing_is_swept_while_the_database_is_young(db, settings):
    settings.OTTO_REAPER_GRACE_SECONDS = 24 * 3600
    done = []
    reaper.tick([done.append])
    assert done == []


def test_there_is_one_reaper_at_a_time(db):
    other = psycopg.connect(_dsn())
    with other:
        other.execute("SELECT pg_advisory_lock(%s)", [reaper.LOCK_NUMBER])
        assert not reaper.take_turn()
    other.close()
    until(reaper.take_turn)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def _dsn():
    parts = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=parts["HOST"],
        port=parts["PORT"],
        user=parts["USER"],
        password=parts["PASSWORD"],
        dbname=parts["NAME"],
    )


def test_a_process_that_was_killed_is_forgotten_in_time(db, settings):
    long_ago = timezone.now() - timedelta(hours=1)
    ProcessBeat.objects.create(
        kind=ProcessKind.WEB, host="here", pid=1, pid_started_at=1.0, seen_at=long_ago
    )
    forget_dead_processes(timezone.now())
    assert not ProcessBeat.objects.exists()
