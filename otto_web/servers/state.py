"""Writes var/run/services.json: addresses and the names of the processes that serve them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from otto_web.servers.errors import ServersError
from otto_web.servers.processes import ProcessName, end_all
from otto_web.services_file import read_services

FILE = "services.json"


@dataclass(frozen=True, slots=True)
class Services:
    """What the owner of the servers tells everybody else."""

    database_url: str = ""
    redis_url: str = ""
    address: str = ""
    owner_pid: int = 0


def write(folder: Path, services: Services, processes: Iterable[ProcessName]) -> None:
    """Publish the services in one step, readable by this user only."""
    content = {
        "database_url": services.database_url,
        "redis_url": services.redis_url,
        "address": services.address,
        "owner_pid": services.owner_pid,
        "processes": [{"pid": name.pid, "started_at": name.started_at} for name in processes],
    }
    kept = {key: value for key, value in content.items() if value}
    temporary = folder / f".{FILE}.{os.getpid()}"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(kept, indent=2), "utf-8")
    temporary.rename(folder / FILE)


def forget(folder: Path) -> None:
    """Take the file away: no servers run."""
    (folder / FILE).unlink(missing_ok=True)


def names_of(pids: Iterable[int]) -> list[ProcessName]:
    """Return the names of those processes that run now."""
    names = []
    for pid in pids:
        try:
            names.append(ProcessName.of(pid))
        except psutil.NoSuchProcess:
            continue
    return names


def end_orphans(folder: Path) -> int:
    """End what an owner that was killed has left behind; return how many processes that were."""
    listed: list[Mapping[str, float]] = read_services(folder).get("processes", [])
    ended = end_all(ProcessName(int(one["pid"]), one["started_at"]) for one in listed)
    forget(folder)
    return ended


def wait_for_services(folder: Path, *, seconds: float = 120) -> Services:
    """Return what `up` published, waiting for it while `up` is still starting."""
    deadline = time.monotonic() + seconds
    while not (found := read_services(folder)):
        if time.monotonic() > deadline:
            raise ServersError(
                "OTTO is starting, but its servers did not come up. Look at its output."
            )
        time.sleep(0.2)
    return Services(
        database_url=found.get("database_url", ""),
        redis_url=found.get("redis_url", ""),
        address=found.get("address", ""),
        owner_pid=found.get("owner_pid", 0),
    )
