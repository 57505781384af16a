"""Arms a place of the code, waits until a process is there, and lets it go on."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from otto_web.lib import failpoints
from tests.waiting import until


@dataclass
class Failpoint:
    """One armed place. `env` is for the processes that shall meet it, and those made before it."""

    folder: Path
    name: str
    order: str
    orders: list[str]  # of all the places that share the folder, this one included
    stopped: set[psutil.Process] = field(default_factory=set)

    @property
    def env(self):
        return {"OTTO_FAILPOINT": ",".join(self.orders), "OTTO_FAILPOINT_DIR": str(self.folder)}

    def arm_here(self):
        """Let this very process meet it too, and those made before it."""
        failpoints.arm(",".join(self.orders), self.folder)

    @property
    def is_reached(self):
        return (self.folder / f"{self.name}.reached").exists()

    def reached(self, seconds=300):
        """Wait until a process is there; return its number. One that stops has stopped by then."""
        until(lambda: self.is_reached, seconds)
        file = self.folder / f"{self.name}.reached"
        pid = int(file.read_text("ascii"))
        if ":stop" in self.order:
            process = psutil.Process(pid)
            until(lambda: process.status() == psutil.STATUS_STOPPED, seconds)
            self.stopped.add(process)
        return pid

    def release(self):
        """Let whoever is there go on."""
        (self.folder / f"{self.name}.released").touch()
        for process in self.stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        self.stopped.clear()

    def release_all(self):
        """Let also those go on whom no test has waited for."""
        if ":stop" in self.order and self.is_reached:
            with contextlib.suppress(ProcessLookupError):
                file = self.folder / f"{self.name}.reached"
                os.kill(int(file.read_text("ascii")), signal.SIGCONT)
        self.release()
