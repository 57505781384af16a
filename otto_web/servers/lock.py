"""One lock file says who owns the servers of an installation."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock: `up`, or the name of a command."""

    name: str
    pid: int


class ServersLock:
    """The lock; the operating system lets go of it when its holder dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._file: IO[str] | None = None

    def take(self, name: str) -> Owner | None:
        """Take the lock and return None, or return the owner who has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _read_owner(file)
            file.close()
            return owner
        file.truncate(0)
        file.write(json.dumps(asdict(Owner(name, os.getpid()))))
        file.flush()
        self._file = file
        return None

    def wait(
        self, name: str, *, tell: Callable[[Owner], None], seconds: float = 24 * 3600
    ) -> Owner | None:
        """Take the lock, waiting for a command that has it; return `up` as soon as that has it."""
        told, deadline = False, time.monotonic() + seconds
        while (owner := self.take(name)) is not None:
            if owner.name == "up" or time.monotonic() > deadline:
                return owner
            if not told:
                tell(owner)
            told = True
            time.sleep(0.3)
        return None

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _read_owner(file: IO[str]) -> Owner:
    for _ in range(20):
        file.seek(0)
        try:
            return Owner(**json.loads(file.read()))
        except (json.JSONDecodeError, TypeError):  # just taken, not yet signed
            time.sleep(0.05)
    return Owner("another command", 0)
