"""Runs a command that ends when its parent ends: `python tether.py SIGNAL [--as USER] COMMAND...`.

A script of its own, started by path: it must begin in milliseconds and imports nothing of ours.
The kernel tells nobody of a parent that died before it was asked to, so the parent leaves its
number in the environment, and whoever finds another one there ends at once.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PARENT = "OTTO_TETHERED_TO"


def become(name: str) -> None:
    """Give up root for the named user."""
    person = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(person.pw_gid)
    os.setuid(person.pw_uid)


def tie_to_parent(number: int) -> None:
    """Ask Linux to send this process a signal when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def main() -> None:
    number, command = int(sys.argv[1]), sys.argv[2:]
    if command[0] == "--as":
        become(command[1])
        command = command[2:]
    tie_to_parent(number)
    if os.environ.get(PARENT, "") not in {"", str(os.getppid())}:
        sys.exit("The process that this one belongs to has ended.")
    os.environ[PARENT] = str(os.getpid())  # the command keeps this number; its children look at it
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_DFL)  # a parent may have set them to be ignored
    os.execv(command[0], command)  # noqa: S606 - the very purpose


if __name__ == "__main__":
    main()
