"""Keeps what OTTO writes to the user who runs it: conversations, weights, logs, keys."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from otto_web.lib.disk import FULL, disk_words

OWN, NOBODY_ELSE = 0o700, 0o077
FOLDERS = ("cache", "data", "log", "run", "static")
WRITTEN = ("run/*", "log/*.log", "servers/valkey/valkey.conf")  # anew or on, at each start
TRIAL_BYTES = 256 * 1024
NO_RIGHT = {errno.EACCES, errno.EPERM}
PASSED = 0o711  # PostgreSQL does not run as root and must come as far as its folder


def keep_to_this_user(var_dir: Path, data_dir: Path) -> None:
    """Close the folders of an installation to others, those that exist and those to come.

    Every process calls this before it writes anything. Raises ImproperlyConfigured where the
    installation's folder cannot be made.
    """
    os.umask(NOBODY_ELSE)
    outer = PASSED if os.geteuid() == 0 else OWN
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"OTTO keeps its files in {var_dir}, but that folder cannot be made "
            f"({error.strerror}). Make it for this user, or name another one by OTTO_VAR_DIR."
        ) from error
    for folder in (var_dir, var_dir / "servers"):
        _close(folder, outer)
    for name in FOLDERS:
        _close(var_dir / name, OWN)
    _close(data_dir, OWN)


def _close(folder: Path, mode: int) -> None:
    """Take from others what they may do in a folder of ours; one of somebody else is theirs."""
    if not folder.is_dir():
        return
    found = folder.stat()
    if found.st_uid == os.geteuid() and found.st_mode & NOBODY_ELSE & ~mode:
        with suppress(OSError):  # of a disk that is read-only: who must write there finds out
            folder.chmod(found.st_mode & ~NOBODY_ELSE | mode)


def refuse_unwritable(var_dir: Path, data_dir: Path) -> None:
    """Raise ImproperlyConfigured where an installation could not write down what it needs.

    Each folder that is there is tried with a file of its own, because only that shows a disk that
    is full, read-only or broken.
    """
    folders = [var_dir, *(var_dir / name for name in (*FOLDERS, "servers")), data_dir]
    try:
        for folder in filter(Path.is_dir, folders):
            _try_to_write(folder)
        for path in _written(var_dir):
            with path.open("ab"):
                pass
    except OSError as error:
        if (sentence := cannot_write(error)) is None:
            raise
        raise ImproperlyConfigured(sentence) from error


def _try_to_write(folder: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".trial-") as file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(folder)
        raise


def _written(var_dir: Path) -> Iterator[Path]:
    for pattern in WRITTEN:
        yield from (path for path in var_dir.glob(pattern) if path.is_file())


def cannot_write(error: OSError) -> str | None:
    """Return what cannot be written, why, and what to do; None for errors of another kind."""
    words = disk_words(error)
    if words is None and error.errno not in NO_RIGHT:
        return None
    where = error.filename or "a file of OTTO"
    if words == FULL:
        remedy = "Free some space"
    elif words is None:
        remedy = "Make it writable for the user who runs OTTO"
    else:
        remedy = "Make it writable again"
    why = f"{words} ({error.strerror})." if words else f"{error.strerror}."
    return f"{where} cannot be written. {why} {remedy}, or name another folder by OTTO_VAR_DIR."
