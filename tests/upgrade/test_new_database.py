"""A new database, whose tables are made at once, is like one that took every migration."""

from __future__ import annotations

import re
import subprocess

import psycopg
import pytest

from otto_web.servers.binaries import postgres_bin
from tests.databases import NAME
from tests.upgrade.test_upgrade import ONE_BY_ONE, run

DATABASE = "otto_one_by_one"
# Where a column was renamed, PostgreSQL goes on with the old names of what was named after it.
RENAMED = {"datasets_app_upload_twin_id_5c4f337a": "datasets_app_upload_duplicate_of_id_ee5b4ee1"}
NAMES_OF_NOT_NULL = re.compile(r" CONSTRAINT \w+_not_null(?= NOT NULL)")
KEYS_OF_A_DUMP = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)
DJANGOS = "SELECT app_label, model, codename FROM django_content_type type JOIN auth_permission ON"


def shape(url):
    """Return all that a database is made of but rows, and what Django wrote about its models."""
    command = [postgres_bin() / "pg_dump", "--schema-only", "--no-owner", "--dbname", url]
    dump = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    with psycopg.connect(url) as connection:
        about = connection.execute(f"{DJANGOS} type.id = content_type_id").fetchall()
    for old, new in RENAMED.items():
        dump = dump.replace(old, new)
    dump = KEYS_OF_A_DUMP.sub("", NAMES_OF_NOT_NULL.sub("", dump))
    return sorted(dump.split("\n\n\n--\n")), sorted(about)


@pytest.mark.chaos
def test_tables_made_at_once_are_those_of_all_migrations(
    django_db_setup, postgres_server, tmp_path
):
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    one_by_one = postgres_server.url(DATABASE)
    run([ONE_BY_ONE, "migrate", "--verbosity", "0"], one_by_one, tmp_path)
    assert shape(postgres_server.url(NAME)) == shape(one_by_one)
    assert "No migrations to apply" in run(["manage.py", "migrate"], one_by_one, tmp_path)
