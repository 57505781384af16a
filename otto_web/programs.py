"""The processes of an installation, as supervised programs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence

from django.conf import settings

from otto_web.lib.cores import usable_cores
from otto_web.servers.plan import ServerPlan
from otto_web.servers.processes import tethered
from otto_web.supervise import Program

# A worker ends by itself within OTTO_DRAIN_SECONDS + 5; all must be gone within 75 s.
WORKER_STOP_SECONDS = 66
LEAN = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "MALLOC_ARENA_MAX": "2",
}
DATABASE_POOL = "8"


def server_programs(plan: ServerPlan) -> list[Program]:
    """Return PostgreSQL and Redis, as far as this installation runs its own."""
    stops = {"postgres": "INT", "valkey": "TERM"}
    return [Program(name, command, stops[name]) for name, command in plan.commands().items()]


def app_programs(host: str, port: int) -> list[Program]:
    """Return web, workers, engine and reaper."""
    cores = usable_cores()
    half = str(max(1, cores // 2))
    web = ("run_web", "--host", host, "--port", str(port))
    return [
        _manage("web", *web, env={"OTTO_DB_POOL": DATABASE_POOL, "OMP_NUM_THREADS": "1"}),
        _worker("short", processes=settings.OTTO_SHORT_WORKERS, tasks=200, threads=half),
        _worker("train", processes=1, tasks=1, threads="1"),
        _manage("engine", "run_engine", seconds=15),
        _manage("reaper", "run_reaper", env={"OMP_NUM_THREADS": "1"}),
    ]


def _manage(
    name: str, *words: str, seconds: int = 10, env: Mapping[str, str] | None = None
) -> Program:
    command = _python("manage.py", *words)
    return Program(name, command, stop_seconds=seconds, env=LEAN | dict(env or {}))


def _worker(queue: str, *, processes: int, tasks: int, threads: str) -> Program:
    words = worker_words(queue, processes=processes, tasks=tasks)
    return Program(
        f"worker-{queue}",
        _python("-m", "celery", *words),
        stop_seconds=WORKER_STOP_SECONDS,
        env=LEAN | {"OMP_NUM_THREADS": threads},
    )


def worker_words(queue: str, *, processes: int, tasks: int) -> list[str]:
    """Return Celery's arguments for one queue."""
    return [
        *("-A", "otto_web", "worker", "-Q", queue, "-n", f"{queue}@%h", "--loglevel", "INFO"),
        *("--pool", "prefork", "-c", str(processes), f"--max-tasks-per-child={tasks}"),
        *("--without-gossip", "--without-mingle"),
    ]


def _python(*words: str) -> Sequence[str]:
    return tethered([sys.executable, *words], stop=signal.SIGTERM)
