"""An installation of an earlier release is carried over: its rows survive, there and back.

`version-0.1.0.sql.gz` holds rows of work in every state that release 0.1.0 knew; `MORE` adds what
people had deleted and files that were not read.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ONE_BY_ONE = HERE / "one_by_one.py"
DATABASE = "otto_upgrade"
# tables whose rows a migration may remove or move: every other one keeps its number
FREE = {
    "datasets_app_rescoring",
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
}
NEVER_WRITTEN = {"datasets_app_conversationrevision"}  # went without a row
RENAMED = {
    "chat_app_pipeline": "otto_loop_pipeline",
    "chat_app_pipelinestep": "otto_loop_pipelinestep",
}
OUR_APPS = ("otto_loop", "chat_app", "training_app", "datasets_app", "otto")  # the rightmost first
NEW_TIMES = ["queued_at", "started_at", "finished_at", "not_before", "lease_until"]
MORE = """
SET search_path = public;
INSERT INTO datasets_app_dataset SELECT (jsonb_populate_record(old.d, jsonb_build_object(
    'id', gen_random_uuid(), 'name', 'Deleted ' || n, 'deleted_at', '2026-11-20T12:00:00Z',
    'emptied_at', CASE WHEN n = 1 THEN '2026-11-20T12:01:00Z' END))).*
FROM (SELECT d FROM datasets_app_dataset d LIMIT 1) old, generate_series(1, 2) n;
INSERT INTO datasets_app_sourcefile SELECT (jsonb_populate_record(old.f, jsonb_build_object(
    'id', gen_random_uuid(), 'name', verdict, 'member_no', 100 + n, 'verdict', verdict))).*
FROM (SELECT f FROM datasets_app_sourcefile f WHERE parent_id IS NOT NULL LIMIT 1) old,
    unnest(ARRAY['pending', 'skipped', 'failed', 'waiting']) WITH ORDINALITY more (verdict, n);
INSERT INTO training_app_trainedmodel SELECT (jsonb_populate_record(old.m, jsonb_build_object(
    'id', gen_random_uuid(), 'number', (old.m).number + 100, 'run_id', NULL, 'state', 'deleted'))).*
FROM (SELECT m FROM training_app_trainedmodel m LIMIT 1) old;
"""


def row_counts(url):
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        return {
            name: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchone()[0]
            for (name,) in names
        }


def run(arguments, url, tmp_path):
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "otto_web.settings_test",
        "DATABASE_URL": url,
        "OTTO_VAR_DIR": str(tmp_path),
        "OTTO_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def upgraded(postgres_server, tmp_path_factory):
    """Restore the old rows and migrate. Gives address, counts before and after, and a folder."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    url = postgres_server.url(DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(gzip.decompress((HERE / "version-0.1.0.sql.gz").read_bytes()).decode())
        connection.execute(MORE)
    before, folder = row_counts(url), tmp_path_factory.mktemp("upgrade")
    run(["manage.py", "migrate", "--verbosity", "0"], url, folder)
    return url, before, row_counts(url), folder


@pytest.mark.slow
def test_no_row_is_lost(upgraded):
    _, before, after, _ = upgraded
    lost = {name for name, number in before.items() if after.get(RENAMED.get(name, name)) != number}
    assert lost <= FREE | NEVER_WRITTEN
    assert {before[name] for name in NEVER_WRITTEN} == {0}


@pytest.mark.slow
def test_rows_keep_the_split_that_they_were_given(upgraded):
    url, _, _, _ = upgraded
    with psycopg.connect(url) as connection:
        counts = connection.execute(
            "SELECT counts -> 'splits', counts ? 'sides' FROM datasets_app_version"
            " WHERE counts <> '{}'"
        ).fetchall()
        rows = connection.execute(
            "SELECT split, count(*) FROM datasets_app_versionrow GROUP BY split"
        ).fetchall()
        names = connection.execute(
            "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'versionrow_by%'"
        ).fetchall()
    assert counts == [({"train": 2374, "validation": 286, "test": 130}, False)]
    assert dict(rows) == {"train": 40, "validation": 40, "test": 40}
    assert names == [("versionrow_by_split",)]


@pytest.mark.slow
def test_every_old_value_is_known_and_every_page_shows_old_rows(upgraded):
    url, _, _, folder = upgraded
    wrong = json.loads(run([HERE / "look.py"], url, folder).splitlines()[-1])
    assert wrong == {"choices": [], "specs": [], "pages": []}


def contents(url):
    """Return what stands in every table, row by row, but for times that 0.1.0 had no place for."""
    with psycopg.connect(url) as connection:
        return {
            name: sorted(
                text
                for (text,) in connection.execute(
                    sql.SQL("SELECT (to_jsonb(t) - %s::text[])::text FROM {} t").format(
                        sql.Identifier(name)
                    ),
                    [NEW_TIMES],
                )
            )
            for name in row_counts(url)
            if name not in FREE
        }


@pytest.mark.chaos
def test_the_way_back_to_the_earlier_release_and_forward_again_loses_no_row(upgraded):
    url, before, _, folder = upgraded
    newest, now = contents(url), row_counts(url)
    with gzip.open(HERE / "version-0.1.0.sql.gz", "rt", encoding="utf-8") as dump:
        named = re.findall(r"\(\d+, '(\w+)', '(\d{4}_\w+)', '20", dump.read())
    for app in OUR_APPS:
        then = max((name for owner, name in named if owner == app), default="zero")
        run([ONE_BY_ONE, "migrate", app, then, "--verbosity", "0"], url, folder)
    back = row_counts(url)
    lost = {name for name in before if back[name] != now.get(RENAMED.get(name, name), 0)}
    assert lost <= FREE
    run(["manage.py", "migrate", "--verbosity", "0"], url, folder)
    again = contents(url)
    assert {name: again[name] for name in newest if newest[name] != again[name]} == {}
    with psycopg.connect(url) as connection:
        types = connection.execute(
            "SELECT app_label FROM django_content_type WHERE model LIKE 'pipeline%'"
        ).fetchall()
    assert types == [("otto_loop",)] * 2
