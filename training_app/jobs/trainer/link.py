"""The trainer's end of the pipe: beats and stops come in, and silence means something too."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.claims import LostLease
from training_app.jobs.exits import Exit
from training_app.lm.contract import StopReason

ORPHAN_SECONDS = 4.0
_PROVE_SECONDS = 1.0


def boot_seconds() -> float:
    """Return a clock that goes on while the machine sleeps and never jumps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Link:
    """What the supervisor says. The loop sees all of it as one question: should it stop?"""

    def __init__(self, pipe: int, *, lost_seconds: float, check: Callable[[], None]) -> None:
        self._pipe = pipe
        self._lost_seconds = lost_seconds
        self._check = check
        self._beat_at = boot_seconds()
        self._stop: StopReason | None = None
        self._is_lost = False
        self.is_orphan = False

    def listen(self) -> None:
        """Read what comes in until the pipe closes; SIGTERM means the same as `drain`."""
        threading.Thread(target=self._read, name="supervisor", daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: self.ask("drain"))

    def should_stop(self) -> StopReason | None:
        """Return why to stop, if there is a reason; wait while the lease is in doubt.

        Raises LostLease when somebody else owns the run.
        """
        while not self._is_lost and not self._stop and self._is_silent():
            self._check()
            time.sleep(min(_PROVE_SECONDS, self._lost_seconds / 4))
        if self._is_lost:
            raise LostLease("The supervisor says that another attempt owns this run.")
        return self._stop

    def _is_silent(self) -> bool:
        return boot_seconds() - self._beat_at > self._lost_seconds

    def _read(self) -> None:
        rest = b""
        while block := os.read(self._pipe, 1 << 16):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        self.is_orphan = True
        self.ask("drain")
        time.sleep(ORPHAN_SECONDS)
        os._exit(Exit.CRASH)  # whatever is going on: nobody watches over this process any more

    def _take(self, message: dict[str, Any]) -> None:
        if "beat" in message:
            self._beat_at = boot_seconds()
        if message.get("stop") == "lost":
            self._is_lost = True
        elif "stop" in message:
            self.ask(message["stop"])
        if "dump" in message:
            faulthandler.dump_traceback(sys.stderr)

    def ask(self, reason: StopReason) -> None:
        """Have the loop stop for this reason; the first one counts, unless a keep is discarded."""
        if self._stop is None or (self._stop, reason) == ("keep", "cancel"):  # a change of mind
            self._stop = reason
        failpoint("trainer.asked_to_stop")
