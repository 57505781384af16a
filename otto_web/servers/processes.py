"""Starts, names and stops operating-system processes."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from otto_web.servers.tether import PARENT

QUIET_PORTS = range(20_000, 32_000)
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class ProcessName:
    """A process, told apart from a later one with the same number by its start time."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> ProcessName:
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process, or None when it is gone (or is only waiting to be buried)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) < 1.0
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same and alive else None


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """Return the preferred port, or the next one that nobody listens on; 0 asks for any.

    Any port is one below those that the system gives to outgoing connections, so that none of
    them takes it between this look and the start of a server, which may make a cluster first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first = preferred or secrets.choice(QUIET_PORTS)
    for port in range(first, first + 200):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {first} on")


def tethered(
    command: Sequence[str | Path], *, stop: signal.Signals, user: str | None = None
) -> list[str]:
    """Return the command line that runs `command` and ends it by `stop` when its parent dies."""
    become = ["--as", user] if user else []
    head = [sys.executable, "-I", "-S", str(TETHER), str(int(stop)), *become]
    return [*head, *map(str, command)]


def start(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command lines
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**(os.environ if env is None else env), **as_parent()},
        )


def as_parent() -> dict[str, str]:
    """Return what the environment of a tethered child must say: who its parent is."""
    return {PARENT: str(os.getpid())}


def stop(process: subprocess.Popen[bytes], number: signal.Signals, *, seconds: float = 10) -> None:
    """Ask a process to end, and end it by force when it does not."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_all(names: Iterable[ProcessName], *, seconds: float = 15) -> int:
    """End every process of the list that still runs, with its descendants; return how many."""
    found = [process for name in names if (process := name.find())]
    family = {child for process in found for child in _with_children(process)}
    for process in family:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=seconds)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)
    return len(found)


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def wait_until_gone(names: Iterable[ProcessName], *, seconds: float) -> bool:
    """Wait until none of the processes runs; False when some still do."""
    names, deadline = list(names), time.monotonic() + seconds
    while any(name.find() for name in names):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def last_words(log: Path) -> str:
    """Return the last line of a log, to stand in a sentence; empty where there is none."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return f" Its last line: {lines[-1].strip()}" if lines else ""
