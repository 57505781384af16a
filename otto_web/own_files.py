"""Keeps what OTTO writes to the user who runs it: conversations, weights, logs, keys."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

OWN, NOBODY_ELSE = 0o700, 0o077
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
    for name in ("cache", "data", "log", "run", "static"):
        _close(var_dir / name, OWN)
    _close(data_dir, OWN)


def _close(folder: Path, mode: int) -> None:
    """Take from others what they may do in a folder of ours; one of somebody else is theirs."""
    if not folder.is_dir():
        return
    found = folder.stat()
    if found.st_uid == os.geteuid() and found.st_mode & NOBODY_ELSE & ~mode:
        folder.chmod(found.st_mode & ~NOBODY_ELSE | mode)


def refuse_unwritable(var_dir: Path) -> None:
    """Raise ImproperlyConfigured where an installation could not write down what it needs."""
    if not os.access(var_dir, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"OTTO keeps its files in {var_dir}, but this user may not write there (is it on a "
            "disk that is read-only?). Make it writable, or name another folder by OTTO_VAR_DIR."
        )
