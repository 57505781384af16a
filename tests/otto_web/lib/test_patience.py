"""Nobody who stands still in a transaction holds others up for long."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as live_settings
from django.db import connection, connections, transaction
from django.db.models.signals import pre_migrate
from django.utils import timezone

from otto_web import reaper
from otto_web.lib import patience, sweeps
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.lib.patience import each_by_itself, kept_open
from tests.waiting import until

KINDS = [
    *(patience.WEB, patience.WORKER, patience.TRAINER),
    *(patience.ENGINE, patience.REAPER, patience.COMMAND),
]
KEEPALIVES = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")


def dial(options):
    """Open a session of its own to the test's database."""
    parts = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {ours: parts[theirs] for ours, theirs in names.items()}
    return psycopg.connect(**where, dbname=parts["NAME"], **options)


def shown(session, name):
    """Return a setting of the session in milliseconds, or as a number where it is a count."""
    query = "SELECT setting::bigint FROM pg_settings WHERE name = %s"
    return session.execute(query, [name]).fetchone()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_process_waits_so_long_and_no_longer(db, kind):
    with dial(kind.options(silence=7)) as session:
        assert shown(session, "lock_timeout") == kind.lock * 1000 > 0
        assert shown(session, "statement_timeout") == kind.statement * 1000 > 0
        assert shown(session, "idle_in_transaction_session_timeout") == 7000
        assert all(0 < shown(session, name) <= 10 for name in KEEPALIVES)
        assert session.info.get_parameters()["keepalives_idle"] == "10"


def test_a_process_opens_its_connections_with_the_waits_of_its_kind(transactional_db, settings):
    before = dict(live_settings.DATABASES["default"]["OPTIONS"])
    try:
        patience.be_patient(patience.REAPER)
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("2s",)
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == (f"{settings.OTTO_SILENCE_SECONDS:.0f}s",)
    finally:
        live_settings.DATABASES["default"]["OPTIONS"] = before
        connections.settings["default"]["OPTIONS"] = connection.settings_dict["OPTIONS"] = before
        connection.close()


def test_a_migration_takes_its_time(transactional_db):
    try:
        assert patience.wait_for_ever in [found() for _, found, *_ in pre_migrate.receivers]
        patience.wait_for_ever("default")
        with connection.cursor() as cursor:
            for name in ("lock_timeout", "statement_timeout"):
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == ("0",)
    finally:
        connection.close()


@pytest.fixture
def locked_row(transactional_db):
    """A row, and a function by which a session locks it and then stands still."""
    row = ProcessBeat.objects.create(
        kind=ProcessKind.WEB, host="here", pid=1, pid_started_at=1.0, seen_at=timezone.now()
    )

    def lock(session):
        session.execute("UPDATE otto_processbeat SET doing = 'still' WHERE id = %s", [row.pk])
        return row

    return lock


def is_free(row):
    return bool(ProcessBeat.objects.select_for_update(skip_locked=True).filter(pk=row.pk))


@pytest.mark.slow
def test_a_session_that_is_silent_in_a_transaction_loses_its_rows(locked_row):
    with dial(patience.TRAINER.options(silence=0.3)) as session:
        row = locked_row(session)
        with transaction.atomic():
            assert not is_free(row)
        until(transaction.atomic(lambda: is_free(row)))
        with pytest.raises((psycopg.OperationalError, psycopg.InternalError)):
            session.execute("SELECT 1")
        session.close()


@pytest.mark.slow
def test_a_session_that_stands_still_in_a_copy_is_ended_by_the_reaper(locked_row, settings):
    settings.OTTO_SILENCE_SECONDS = 0.2
    with dial(patience.WORKER.options(silence=0.2)) as session:
        row = locked_row(session)
        session.execute("CREATE TEMPORARY TABLE goods (name text)")
        copy = session.cursor().copy("COPY goods FROM STDIN")
        copy.__enter__().write(b"hat\n")

        @transaction.atomic
        def looked_again():
            sweeps.end_silent_sessions(timezone.now())
            return is_free(row)

        until(looked_again)
        session.close()
    sweeps.end_silent_sessions(timezone.now())
    assert not sweeps._waiting_since


def test_a_copy_that_moves_is_left_alone(transactional_db, settings):
    settings.OTTO_SILENCE_SECONDS = 0  # one look without a move would be the end
    with dial(patience.WORKER.options(silence=60)) as session:
        session.execute("CREATE TEMPORARY TABLE goods (name text)")
        with session.cursor().copy("COPY goods FROM STDIN") as copy:
            for _ in range(4):
                before = copied()
                copy.write(b"hat\n" * 50_000)
                until(lambda before=before: copied() > before)
                sweeps.end_silent_sessions(timezone.now())
        assert session.execute("SELECT count(*) FROM goods").fetchone() == (200_000,)


def copied():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(bytes_processed), 0) FROM pg_stat_progress_copy")
        return cursor.fetchone()[0]


@pytest.mark.slow
def test_a_process_that_computes_in_a_transaction_keeps_it(transactional_db, settings):
    settings.OTTO_SILENCE_SECONDS = 0.4
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with dial({"autocommit": True}) as other, kept_open():
            query = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
            for _ in range(2):
                (last,) = other.execute(query, [pid]).fetchone()
                until(lambda last=last: other.execute(query, [pid]).fetchone()[0] > last)
    assert not [one for one in threading.enumerate() if one.name == "kept open"]


def test_what_is_locked_holds_up_no_other(locked_row):
    others = ProcessBeat.objects.exclude(doing="held")
    with dial({}) as session:
        row = locked_row(session)
        free = ProcessBeat.objects.create(
            kind=ProcessKind.WEB, host="here", pid=2, pid_started_at=1.0, seen_at=timezone.now()
        )
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        try:
            each_by_itself([row.pk, free.pk], lambda pk: others.filter(pk=pk).update(doing="done"))
        finally:
            connection.close()
        session.rollback()
    assert dict(ProcessBeat.objects.values_list("pk", "doing")) == {row.pk: "", free.pk: "done"}


def test_a_sweep_that_waits_too_long_stops_no_other(locked_row, caplog):
    with dial({}) as session:
        row = locked_row(session)
        done = []

        def blocked(now):
            ProcessBeat.objects.filter(pk=row.pk).update(seen_at=now - timedelta(days=1))

        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        try:
            reaper.tick([blocked, done.append])
        finally:
            connection.close()
        session.rollback()
    assert len(done) == 1
    assert "is left for the next look" in caplog.text
