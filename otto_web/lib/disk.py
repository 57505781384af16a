"""Whether an error means that the disk is full, whichever library says it; pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT}
# safetensors, tokenizers and onnx raise types of their own, which carry only the system's words
_WORDS = (
    *("No space left on device", "Disk quota exceeded"),
    *(f"os error {number})" for number in sorted(_FULL)),
)
_POSTGRES_DISK_FULL = "53100"


def is_disk_full(error: BaseException) -> bool:
    """Return whether this error, or one that it was raised from, is of a full disk or quota."""
    return any(_says_full(one) for one in _chain(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    is_postgres = getattr(error, "sqlstate", None) == _POSTGRES_DISK_FULL
    return is_postgres or any(words in str(error) for words in _WORDS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
