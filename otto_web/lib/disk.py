"""Whether an error means that the disk takes nothing more, whichever library says it; pure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

FULL, READ_ONLY = "The disk is full", "The disk is read-only"
_NUMBERS = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}
# safetensors, tokenizers and onnx raise types of their own, which carry only the system's words
_WORDS = {
    "No space left on device": FULL,
    "Disk quota exceeded": FULL,
    "database or disk is full": FULL,
    "Read-only file system": READ_ONLY,
    **{f"os error {number})": words for number, words in _NUMBERS.items()},
}
_POSTGRES_DISK_FULL = "53100"


def is_disk_full(error: BaseException) -> bool:
    """Return whether this error, or one that it was raised from, is of a disk that takes nothing.

    One that became read-only is such a disk too: both are waited for, and somebody has to help.
    """
    return disk_words(error) is not None


def is_read_only(folder: Path) -> bool:
    """Return whether the folder lies on a file system that takes no files."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def disk_words(error: BaseException) -> str | None:
    """Return in words why the disk takes nothing; None for any other error."""
    return next((words for one in _chain(error) if (words := _words_of(one))), None)


def _words_of(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return _NUMBERS[error.errno]
    if getattr(error, "sqlstate", None) == _POSTGRES_DISK_FULL:
        return FULL
    return next((words for said, words in _WORDS.items() if said in str(error)), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
