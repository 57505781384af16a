"""An installation of an earlier release is carried over: its rows survive every migration.

`version-0.1.0.sql.gz` holds rows in every state that release 0.1.0 knew.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATABASE = "otto_upgrade"
# tables whose rows a migration may remove or move: every other one keeps its number
FREE = {"django_migrations", "django_content_type", "auth_permission", "auth_group"}
RENAMED = {
    "chat_app_pipeline": "otto_loop_pipeline",
    "chat_app_pipelinestep": "otto_loop_pipelinestep",
}


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
    """Restore the old rows and migrate. Gives address, counts before and a folder."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    url = postgres_server.url(DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(gzip.decompress((HERE / "version-0.1.0.sql.gz").read_bytes()).decode())
    before, folder = row_counts(url), tmp_path_factory.mktemp("upgrade")
    run(["manage.py", "migrate", "--verbosity", "0"], url, folder)
    return url, before, folder


@pytest.mark.slow
def test_no_row_is_lost(upgraded):
    url, before, _ = upgraded
    after = row_counts(url)
    lost = {name for name, number in before.items() if after.get(RENAMED.get(name, name)) != number}
    assert lost <= FREE


@pytest.mark.slow
def test_every_old_value_is_known_and_every_page_shows_old_rows(upgraded):
    url, _, folder = upgraded
    wrong = json.loads(run([HERE / "look.py"], url, folder).splitlines()[-1])
    assert wrong == {"choices": [], "specs": [], "pages": []}


@pytest.mark.slow
def test_pipelines_go_back_to_the_app_that_had_them_and_come_again(upgraded):
    url, before, folder = upgraded
    run(["manage.py", "migrate", "otto_loop", "zero", "--verbosity", "0"], url, folder)
    run(["manage.py", "migrate", "chat_app", "0005", "--verbosity", "0"], url, folder)
    back = row_counts(url)
    assert {name: back[name] for name in RENAMED} == {name: before[name] for name in RENAMED}
    run(["manage.py", "migrate", "--verbosity", "0"], url, folder)
    with psycopg.connect(url) as connection:
        types = connection.execute(
            "SELECT app_label FROM django_content_type WHERE model LIKE 'pipeline%'"
        ).fetchall()
    assert types == [("otto_loop",)] * 2
