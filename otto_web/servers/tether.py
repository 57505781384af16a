"""Runs a command that ends when its parent ends: `python tether.py SIGNAL [--as USER] COMMAND...`.

A script of its own, started by path: it must begin in milliseconds and imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


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
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_DFL)  # a parent may have set them to be ignored
    os.execv(command[0], command)  # noqa: S606 - the very purpose


if __name__ == "__main__":
    main()
