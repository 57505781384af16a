"""Gives a management command its servers, whether or not `up` runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connections

from otto_web import env
from otto_web.lib.models import ProcessBeat, ProcessKind
from otto_web.own_files import refuse_unwritable
from otto_web.servers import processes, state
from otto_web.servers.lock import Owner, ServersLock
from otto_web.servers.plan import ServerPlan, plan_servers
from otto_web.servers.state import Services
from otto_web.servers.wiring import use_database, use_redis

STOPS = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What a command finds: whether workers run, or must be stood in for by the command itself."""

    has_workers: bool
    is_in_use: bool  # whether any process of OTTO works with the database


@contextmanager
def servers_for_command(
    name: str = "", *, tell: Callable[[str], None] = lambda line: None
) -> Iterator[Borrowed]:
    """Yield once database and Redis can be used in this process; leave them as they were found.

    A command that finds `up` uses its servers. One that finds nobody starts the servers, migrates,
    and stops them at the end; one that meets another such command waits for it, and says so. Others
    hear of this one by `name`; without it, by the word after `manage.py`.
    """
    if env.text("DATABASE_URL") and env.text("REDIS_URL"):
        alive = _kinds_alive()
        has_workers = {ProcessKind.SHORT.value, ProcessKind.TRAIN.value} <= alive
        yield Borrowed(has_workers, is_in_use=bool(alive))
        return
    refuse_unwritable(settings.OTTO_VAR_DIR, settings.OTTO_DATA_DIR)
    lock = ServersLock(settings.OTTO_RUN_DIR)
    owner = lock.wait(name or _own_name(), tell=lambda other: tell(_waiting(other)))
    if owner is not None:
        _use(state.wait_for_services(settings.OTTO_RUN_DIR))
        yield Borrowed(has_workers=True, is_in_use=True)
        return
    try:
        with own_servers():
            yield Borrowed(has_workers=False, is_in_use=False)
    finally:
        lock.release()


def _own_name() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else "shell"


def _waiting(other: Owner) -> str:
    return f"`manage.py {other.name}` (process {other.pid}) uses the servers; waiting for it."


@contextmanager
def own_servers() -> Iterator[None]:
    """Run the servers for as long as the block lasts; the caller holds the lock."""
    state.end_orphans(settings.OTTO_RUN_DIR)
    plan = plan_servers()
    with ExitStack() as stack:
        stack.callback(state.forget, settings.OTTO_RUN_DIR)
        started = [_start(stack, name, command) for name, command in plan.commands().items()]
        plan.wait_until_ready()
        _publish(plan, started)
        stack.callback(connections.close_all)
        call_command("migrate", verbosity=0, interactive=False)
        yield


def _start(stack: ExitStack, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    process = processes.start(command, log=settings.OTTO_LOG_DIR / f"{name}.log")
    stack.callback(processes.stop, process, STOPS[name])
    return process


def _publish(plan: ServerPlan, started: list[subprocess.Popen[bytes]]) -> None:
    services = Services(plan.database_url, plan.redis_url, owner_pid=os.getpid())
    names = state.names_of(process.pid for process in started)
    state.write(settings.OTTO_RUN_DIR, services, names)
    _use(services)


def _use(services: Services) -> None:
    if services.database_url:
        use_database(services.database_url)
    if services.redis_url:
        use_redis(services.redis_url)


def _kinds_alive() -> set[str]:
    """Return the kinds of the processes that have reported themselves lately."""
    try:
        return set(ProcessBeat.objects.alive().values_list("kind", flat=True))
    except ProgrammingError:  # a database without tables yet
        return set()
