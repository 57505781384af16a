"""Durable files: after a return from here, a power cut loses nothing."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

READ_BYTES = 1 << 20
FEW_FILES = 8
UNFINISHED = ".tmp"  # what the name of a durable folder ends in until it is whole

_SYNCFS = getattr(ctypes.CDLL(None), "syncfs", None)  # Linux alone has it


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def fsync_path(path: Path) -> None:
    """Push a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_all(paths: Collection[Path]) -> None:
    """Push the contents of many files, or the entries of folders, to the one disk they lie on.

    Where the system writes out a disk as a whole, that takes as long as one file does. Each is
    synced all the same: then it has nothing left to do but to tell an error.
    """
    if len(paths) > FEW_FILES and _SYNCFS is not None:
        descriptor = os.open(next(iter(paths)), os.O_RDONLY)
        try:
            _SYNCFS(descriptor)
        finally:
            os.close(descriptor)
    for path in paths:
        fsync_path(path)


def publish(temporary: Path, final: Path) -> None:
    """Move a finished file or folder to its name: it appears whole, or not at all."""
    fsync_path(temporary)
    temporary.rename(final)
    fsync_path(final.parent)


@contextmanager
def durable_folder(final: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; on leaving it gets its name, on an error it goes.

    A folder that already bears the name is replaced: callers use fresh names per attempt.
    """
    temporary = final.with_name(f"{final.name}{UNFINISHED}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for path in temporary.rglob("*"):
            fsync_path(path)
        if final.exists():
            shutil.rmtree(final)
        publish(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
