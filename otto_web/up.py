"""Brings a whole installation up on one machine, watches it, and takes it down."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from otto_web.pages.services.first_admin import create_first_admin
from otto_web.programs import app_programs, server_programs
from otto_web.reachable import probe_host, web_environment
from otto_web.servers import state
from otto_web.servers.errors import ServersError
from otto_web.servers.plan import ServerPlan, plan_servers
from otto_web.servers.processes import ProcessName, end_all, free_port, start, wait_until_gone
from otto_web.servers.state import Services
from otto_web.servers.wiring import use_database, use_redis
from otto_web.static_files import collect_static_files
from otto_web.supervise import Supervisor
from training_app.services.bases import order_missing

STOP_SECONDS = 72
SUPERVISOR_SECONDS = 20
WEB_SECONDS = 90
LOOK_SECONDS = 2


class Installation:
    """All processes of one installation; the caller holds the lock of its servers."""

    def __init__(self, host: str, port: int, *, say: Callable[[str], None]) -> None:
        self.host, self.say = host, say
        self.port = free_port(port, host)
        self.address = f"http://{probe_host(host)}:{self.port}"
        self.supervisor = Supervisor.new(settings.OTTO_RUN_DIR, settings.OTTO_LOG_DIR)
        self.process: subprocess.Popen[bytes] | None = None
        self.services = Services()
        self.names: list[ProcessName] = []

    def start(self) -> str | None:
        """Start everything; return the first admin's password when there was no admin yet."""
        plan = plan_servers()
        self._start_supervisor(plan)
        plan.wait_until_ready()
        self._publish(plan)
        password = prepare_database()
        collect_static_files()
        self.supervisor.start_app("web")  # first: somebody waits for the page
        self._wait_for_web()
        self.supervisor.start_apps()
        self._order_bases()
        return password

    def _order_bases(self) -> None:
        """Let workers fetch the base models that never came, while people begin already."""
        if settings.OTTO_BASES and (ordered := order_missing()):
            size = sum(base.bytes_total for base in ordered) / 1e6
            self.say(f"Fetching the base models, {size:.0f} MB; you can begin meanwhile.")
        connections.close_all()

    def _start_supervisor(self, plan: ServerPlan) -> None:
        self.supervisor.configure(
            server_programs(plan), app_programs(self.host, self.port), folder=settings.BASE_DIR
        )
        unbuffered = {"PYTHONUNBUFFERED": "1"}
        self.process = start(
            self.supervisor.command(),
            log=settings.OTTO_LOG_DIR / "supervisord.out",
            env=os.environ | web_environment(self.host, self.port) | unbuffered,
        )
        deadline = time.monotonic() + SUPERVISOR_SECONDS
        while not self.supervisor.is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise ServersError(
                    f"The supervisor does not answer; its log is in {settings.OTTO_LOG_DIR}."
                )
            time.sleep(0.05)

    def _publish(self, plan: ServerPlan) -> None:
        self.services = Services(
            database_url=plan.database_url,
            redis_url=plan.redis_url,
            address=self.address,
            owner_pid=os.getpid(),
        )
        self.remember_processes()
        if plan.database_url:
            use_database(plan.database_url)
        if plan.redis_url:
            use_redis(plan.redis_url)

    def remember_processes(self) -> None:
        """Start again what was given up, and write down which processes are ours."""
        pids = self.supervisor.look_after()
        if self.process:
            pids.append(self.process.pid)
        names = state.names_of(pids)
        if names != self.names:
            self.names = names
            state.write(settings.OTTO_RUN_DIR, self.services, names)

    def _wait_for_web(self) -> None:
        deadline = time.monotonic() + WEB_SECONDS
        while not answers(f"{self.address}/healthz"):
            self.check()
            if time.monotonic() > deadline:
                log = settings.OTTO_LOG_DIR / "web.log"
                raise ServersError(f"The web does not answer at {self.address}; its log is {log}.")
            time.sleep(0.1)
        self.remember_processes()

    def check(self) -> None:
        """Raise when the supervisor is gone."""
        if self.process is None or self.process.poll() is not None:
            log = settings.OTTO_LOG_DIR / "supervisord.log"
            raise ServersError(f"The supervisor has ended by itself; its log is {log}.")

    def watch(self) -> None:
        """Keep everything running until an exception ends this."""
        while True:
            time.sleep(LOOK_SECONDS)
            self.check()
            self.remember_processes()

    def stop(self) -> None:
        """Take everything down; nothing of it runs when this returns."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.say("Something does not stop; it is ended now.")
            end_all(self.names, seconds=1)
            wait_until_gone(self.names, seconds=2)
        state.forget(settings.OTTO_RUN_DIR)


def prepare_database() -> str | None:
    """Migrate; return the first admin's password when there was no admin yet."""
    call_command("migrate", verbosity=0, interactive=False)
    password = create_first_admin()
    connections.close_all()
    return password


def answers(url: str) -> bool:
    """Say whether a web server answers, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=3):  # noqa: S310 - our own http address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
