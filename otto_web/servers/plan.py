"""Which servers an installation starts itself, and where they keep their things."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from otto_web import env
from otto_web.servers import postgres, valkey
from otto_web.servers.postgres import Cluster
from otto_web.servers.processes import free_port
from otto_web.servers.valkey import Valkey

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """The servers to start; None where the admin named one of their own."""

    cluster: Cluster | None
    valkey: Valkey | None
    log_dir: Path

    def commands(self) -> dict[str, list[str]]:
        """Return the command lines by name."""
        found = {}
        if self.cluster:
            found["postgres"] = self.cluster.command()
        if self.valkey:
            found["valkey"] = self.valkey.command()
        return found

    def wait_until_ready(self) -> None:
        """Return once every server answers a real connection and has its database."""
        if self.valkey:
            valkey.wait_until_ready(
                self.valkey, seconds=START_SECONDS, log=self.log_dir / "valkey.log"
            )
        if self.cluster:
            log = self.log_dir / "postgres.log"
            postgres.wait_until_ready(self.cluster, seconds=START_SECONDS, log=log)
            self.cluster.ensure_database()

    @property
    def database_url(self) -> str:
        return self.cluster.url() if self.cluster else ""

    @property
    def redis_url(self) -> str:
        return self.valkey.url if self.valkey else ""


def plan_servers() -> ServerPlan:
    """Return the servers that the environment does not name; PostgreSQL's folder exists then."""
    folder = settings.OTTO_VAR_DIR / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    cluster = server = None
    if not env.text("DATABASE_URL"):
        cluster = postgres.open_cluster(
            folder / "postgres", port=free_port(), password_file=folder / "postgres.password"
        )
    if not env.text("REDIS_URL"):
        server = Valkey(folder / "valkey", free_port(), secrets.token_urlsafe(24))
    return ServerPlan(cluster, server, settings.OTTO_LOG_DIR)
