"""COPY into a table, with the errors that Django's own statements have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def copying(table: str, columns: Iterable[str]) -> Iterator[Any]:
    """Yield a psycopg `Copy` that takes rows of the columns, inside the caller's transaction.

    What goes wrong is raised as `django.db.DatabaseError`, as everywhere else: psycopg's own
    errors would pass by every handler that is written for Django's.
    """
    named = ", ".join(map(connection.ops.quote_name, columns))
    statement = f"COPY {connection.ops.quote_name(table)} ({named}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as out,
    ):
        yield out
