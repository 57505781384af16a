"""Named places at which a test holds, ends or breaks a process; nothing happens there otherwise.

Only the test settings call `arm`, with what `OTTO_FAILPOINT` and `OTTO_FAILPOINT_DIR` say, so an
installation can never be held by a variable of its environment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EVERY = "every"
_LOOK_SECONDS = 0.01


class FailpointError(RuntimeError):
    """What `raise` raises."""


@dataclass(slots=True)
class _Point:
    """One armed place: what happens there, and at which passes of this process."""

    name: str
    act: Callable[[_Point], None]
    at: int | None  # None: at every pass; otherwise once, over all processes of the folder
    folder: Path
    passes: int = 0

    def pass_by(self) -> None:
        self.passes += 1
        if self.at is None or (self.passes >= self.at and self._is_first()):
            self.act(self)

    def _is_first(self) -> bool:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.folder / f"{self.name}.taken", os.O_CREAT | os.O_EXCL, 0o600))
            return True
        return False

    def announce(self) -> None:
        """Say which process has come here, in a file that is there whole or not at all."""
        fresh = self.folder / f"{self.name}.{os.getpid()}"
        fresh.write_text(str(os.getpid()), "ascii")
        fresh.rename(self.folder / f"{self.name}.reached")

    @property
    def is_released(self) -> bool:
        return (self.folder / f"{self.name}.released").exists()


_armed: dict[str, _Point] = {}


def failpoint(name: str) -> None:
    """Pass the place of this name: return at once, unless a test wants something else here."""
    if _armed and (point := _armed.get(name)):
        point.pass_by()


def arm(orders: str, folder: Path) -> None:
    """Do from now on what the orders say: `name:action`, `name:action@3`, `name:action@every`.

    `stop` announces itself and stops the whole process until SIGCONT, `hold` announces itself and
    holds only this thread until it is released, `kill` ends the process at once, `raise` raises,
    `enospc` and `eio` raise what a full or broken disk does. A place acts once, at the first pass
    or the one named, even when several processes share the folder. Empty orders disarm all.
    """
    _armed.clear()
    for order in filter(None, orders.split(",")):
        name, _, what = order.partition(":")
        action, _, at = what.partition("@")
        times = None if at == EVERY else int(at or 1)
        _armed[name] = _Point(name, _ACTIONS[action], times, folder)


def _stop(point: _Point) -> None:
    point.announce()
    os.kill(os.getpid(), signal.SIGSTOP)


def _hold(point: _Point) -> None:
    point.announce()
    while not point.is_released:
        time.sleep(_LOOK_SECONDS)


def _kill(point: _Point) -> None:
    point.announce()
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(point: _Point) -> None:
    point.announce()
    raise FailpointError(f"The failpoint {point.name} was told to raise.")


def _fail_with(number: int) -> Callable[[_Point], None]:
    def fail(point: _Point) -> None:
        point.announce()
        raise OSError(number, os.strerror(number))

    return fail


_ACTIONS: dict[str, Callable[[_Point], None]] = {
    "stop": _stop,
    "hold": _hold,
    "kill": _kill,
    "raise": _raise,
    "enospc": _fail_with(errno.ENOSPC),
    "eio": _fail_with(errno.EIO),
}
