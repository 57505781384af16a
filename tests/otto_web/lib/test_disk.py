"""A disk that takes nothing is recognised in the words of whichever library meets it."""

from __future__ import annotations

import errno

import pytest
from django.db import OperationalError
from psycopg.errors import DiskFull
from safetensors import SafetensorError

from otto_web.lib.disk import is_disk_full


def raised_from(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "over"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (OSError(errno.EIO, "broken"), False),
        (SafetensorError("I/O error: No space left on device (os error 28)"), True),
        (SafetensorError("I/O error: Read-only file system (os error 30)"), True),
        (SafetensorError("Error while deserializing header: header too large"), False),
        (raised_from(RuntimeError("saving failed"), OSError(errno.ENOSPC, "full")), True),
        (raised_from(OperationalError("could not extend file"), DiskFull("could not")), True),
        (ValueError("os error 2"), False),
    ],
)
def test_a_full_disk_is_told_from_other_faults(error, is_full):
    assert is_disk_full(error) is is_full
