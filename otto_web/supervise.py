"""Writes the configuration of supervisord and talks to it."""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import signal
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otto_web.servers.processes import free_port, tethered

log = logging.getLogger(__name__)
HOST = "127.0.0.1"
APPS, SERVERS = "otto", "servers"
UNREACHABLE = (OSError, xmlrpc.client.Error)


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised process. `command` is complete, its tether included."""

    name: str
    command: Sequence[str]
    stop: str = "TERM"
    stop_seconds: int = 10
    env: Mapping[str, str] = field(default_factory=dict)

    def section(self, *, log_dir: Path, folder: Path, autostart: bool) -> str:
        settings = {
            "command": _escape(shlex.join(self.command)),
            "directory": _escape(str(folder)),
            "autostart": str(autostart).lower(),
            "autorestart": "true",
            "startsecs": "5",
            "startretries": "5",
            "stopsignal": self.stop,
            "stopwaitsecs": str(self.stop_seconds),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": _escape(str(log_dir / f"{self.name}.log")),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "3",
        }
        if self.env:
            settings["environment"] = ",".join(f'{k}="{_escape(v)}"' for k, v in self.env.items())
        return _section(f"program:{self.name}", settings)


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _section(title: str, settings: Mapping[str, str]) -> str:
    lines = [f"{key}={value}" for key, value in settings.items()]
    return "\n".join([f"[{title}]", *lines, ""])


@dataclass(frozen=True, slots=True)
class Supervisor:
    """One supervisord: its configuration and its XML-RPC interface on a local port."""

    configuration: Path
    log_dir: Path
    port: int
    password: str

    @classmethod
    def new(cls, run_dir: Path, log_dir: Path) -> Supervisor:
        return cls(run_dir / "supervisord.conf", log_dir, free_port(), secrets.token_urlsafe(24))

    def configure(
        self, servers: Sequence[Program], apps: Sequence[Program], *, folder: Path
    ) -> None:
        """Write the configuration: the servers start at once, the rest when told to."""
        log_file = _escape(str(self.log_dir / "supervisord.log"))
        interface = {"port": f"{HOST}:{self.port}", "username": "otto", "password": self.password}
        parts = [
            _section(
                "supervisord",
                {
                    "nodaemon": "true",
                    "silent": "true",
                    "logfile": log_file,
                    "logfile_maxbytes": "5MB",
                    "pidfile": _escape(str(self.configuration.with_name("supervisord.pid"))),
                    "minfds": "1024",
                }
                | ({"user": "root"} if os.geteuid() == 0 else {}),
            ),
            _section("inet_http_server", interface),
            _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": FACTORY}),
        ]
        for title, programs, priority in ((SERVERS, servers, 100), (APPS, apps, 900)):
            parts += self._group(title, programs, priority, folder)
        self.configuration.touch(mode=0o600)
        self.configuration.write_text("\n".join(parts), "utf-8")

    def _group(
        self, title: str, programs: Sequence[Program], priority: int, folder: Path
    ) -> list[str]:
        if not programs:
            return []
        names = ",".join(program.name for program in programs)
        head = _section(f"group:{title}", {"programs": names, "priority": str(priority)})
        first = title == SERVERS
        bodies = [
            program.section(log_dir=self.log_dir, folder=folder, autostart=first)
            for program in programs
        ]
        return [head, *bodies]

    def command(self) -> list[str]:
        """Return the command line that runs supervisord in the foreground."""
        program = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.configuration)]
        return tethered(program, stop=signal.SIGTERM)

    def _rpc(self) -> Any:
        url = f"http://otto:{self.password}@{HOST}:{self.port}/RPC2"
        return xmlrpc.client.ServerProxy(url).supervisor

    def is_ready(self) -> bool:
        try:
            return bool(self._rpc().getState()["statecode"] == RUNNING)
        except UNREACHABLE:
            return False

    def start_app(self, name: str) -> None:
        self._rpc().startProcess(f"{APPS}:{name}", False)  # noqa: FBT003 - positional on the wire

    def start_apps(self) -> None:
        """Start every program that does not run yet."""
        self._rpc().startProcessGroup(APPS, False)  # noqa: FBT003 - positional on the wire

    def look_after(self) -> list[int]:
        """Start again what supervisord has given up; return the numbers of what runs."""
        try:
            rpc = self._rpc()
            processes = rpc.getAllProcessInfo()
            for process in processes:
                if process["statename"] == "FATAL":
                    log.warning("%s does not start; its log tells why", process["name"])
                    rpc.startProcess(f"{process['group']}:{process['name']}", False)  # noqa: FBT003 - positional on the wire
        except UNREACHABLE:
            return []
        return [process["pid"] for process in processes if process["pid"]]


FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"
RUNNING = 1
