"""A PostgreSQL that has all tables from its start, and the emptying of them after a test."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.apps import apps
from django.db import connection

from otto_web.lib import tables_together
from otto_web.servers import postgres, processes

ROOT = Path(__file__).resolve().parents[1]
NAME = "test_otto"
HURRY = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "jit"), "off")
# What Django itself writes into every new database.
ALWAYS_THERE = ("django_migrations", "django_content_type", "auth_permission")
# A small table is emptied row by row: TRUNCATE makes new files for it and each of its indexes.
EMPTY = """
DO $$
DECLARE name regclass; has_rows boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL ({always})
  LOOP
    IF pg_relation_size(name) > 500000 THEN
      EXECUTE format('TRUNCATE %s CASCADE', name);
    ELSIF pg_relation_size(name) > 0 THEN
      EXECUTE format('DELETE FROM %s', name);
    END IF;
  END LOOP;
END $$
"""


@contextmanager
def running(folder: Path):
    """Run the cluster of a folder, made when it is missing."""
    cluster = postgres.open_cluster(
        folder / "data", port=processes.free_port(), password_file=folder / "password"
    )
    log = folder / "postgres.log"
    process = processes.start(cluster.command(HURRY), log=log)
    try:
        postgres.wait_until_ready(cluster, seconds=120, log=log)
        yield cluster
    finally:
        processes.stop(process, signal.SIGINT)


def put_cluster(folder: Path, *, kept_in: Path) -> None:
    """Put a cluster with all tables into a folder; they are made once per set of migrations."""
    kept = kept_in / _fingerprint()
    with Path(kept_in, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _make(folder / "made")
            for old in kept_in.iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            shutil.copytree(folder / "made", kept_in / "unfinished")
            shutil.rmtree(folder / "made")
            (kept_in / "unfinished").rename(kept)
        shutil.copytree(kept, folder, dirs_exist_ok=True)


def _make(folder: Path) -> None:
    folder.mkdir()
    with running(folder) as cluster:
        cluster.ensure_database()
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connected:
            connected.execute(f"CREATE DATABASE {NAME}")
            # Checking the password costs 4,096 rounds on both sides, at each of many connections.
            connected.execute("SET scram_iterations = 1")
            connected.execute(f"ALTER ROLE {postgres.USER} PASSWORD '{cluster.password}'")
        subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": cluster.url(NAME)},
            check=True,
        )


def _fingerprint() -> str:
    """Return what names the tables: all that migrations say, and who makes the cluster."""
    sources = [Path(module.__file__) for module in (postgres, tables_together)] + [Path(__file__)]
    for app in apps.get_app_configs():
        sources += sorted(Path(app.path, "migrations").glob("*.py"))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def empty_tables(*_: object) -> None:
    """Leave no row of a test that wrote for good; what stands in for Django's `flush`."""
    always = ", ".join(f"'{name}'" for name in ALWAYS_THERE)
    with connection.cursor() as cursor:
        cursor.execute(EMPTY.format(always=f"ARRAY[{always}]"))
