"""What an error in the middle of an import means: for the file, for the disk, for the worker."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from django.db import Error

FILE_STATES = ("22", "54")  # data that no column takes; more than PostgreSQL has room for in one


class DiskFullError(OSError):
    """There is less free space than the installation keeps for itself."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


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
