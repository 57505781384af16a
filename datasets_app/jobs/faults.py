"""What an error in the middle of an import means: for the file, for the disk, for the worker."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error

from otto_web.lib import disk

FILE_STATES = ("22", "54")  # data that no column takes; more than PostgreSQL has room for in one


class DiskFullError(Exception):
    """There is less free space than the installation keeps for itself."""


def is_disk_full(error: BaseException) -> bool:
    """Say whether the disk of the data or of the database has no room left."""
    is_ours = any(isinstance(cause, DiskFullError) for cause in _chain(error))
    return is_ours or disk.is_disk_full(error)


def is_of_the_file(error: Error) -> bool:
    """Say whether the database refused what the file holds: it would refuse it again.

    Everything else, a lost connection above all, passes: the import goes on where it was.
    """
    states = (getattr(cause, "sqlstate", None) or "" for cause in _chain(error))
    return any(state.startswith(FILE_STATES) for state in states)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
