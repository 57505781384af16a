"""Ways in which the child that reads a file may end without a word."""

from __future__ import annotations

import os
import signal
import sys


def at_once(*_: object) -> None:
    os._exit(3)


def without_memory(*_: object) -> None:
    sys.stderr.write("MemoryError\n")
    sys.stderr.flush()
    os._exit(1)


def killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
