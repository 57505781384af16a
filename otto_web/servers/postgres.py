"""One PostgreSQL cluster in a folder of ours, on a local port, with a random password."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from otto_web.servers.binaries import postgres_bin, postgres_major
from otto_web.servers.errors import ServersError
from otto_web.servers.identity import as_database_user

USER = DATABASE = "otto"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a cluster lives and how it is reached."""

    folder: Path
    port: int
    password: str

    def url(self, database: str = DATABASE) -> str:
        return f"postgres://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def command(self, options: Mapping[str, str] | None = None) -> list[str]:
        """Return the command line that runs the server in the foreground."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "posix",
            "max_connections": "200",
        } | dict(options or {})
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        program = postgres_bin() / "postgres"
        return as_database_user([program, "-D", self.folder, *flags], self.folder)

    def is_ready(self) -> bool:
        """Say whether a real connection succeeds now."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=3) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self) -> None:
        """Create OTTO's database when it is missing."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def open_cluster(folder: Path, *, port: int, password_file: Path) -> Cluster:
    """Return the cluster of a folder, made on first use; its password stays in the named file."""
    if not (folder / "PG_VERSION").exists():
        _make(folder, password_file)
    _refuse_other_major(folder)
    return Cluster(folder, port, password_file.read_text("utf-8").strip())


def _make(folder: Path, password_file: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise ServersError(
            f"{folder} is not empty and holds no finished PostgreSQL cluster; an earlier start was "
            "cut short. Move that folder away and start again."
        )
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24), "utf-8")
    command = [
        postgres_bin() / "initdb",
        *("-D", folder, "-U", USER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
        *("--auth=scram-sha-256", "--pwfile=/dev/stdin", "--data-checksums"),
    ]
    done = subprocess.run(  # noqa: S603 - our own command line
        as_database_user(command, folder),
        input=password_file.read_bytes(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ServersError(f"PostgreSQL could not make its folder {folder}: {said}")


def _refuse_other_major(folder: Path) -> None:
    mine, theirs = postgres_major(postgres_bin()), (folder / "PG_VERSION").read_text().strip()
    if str(mine) != theirs:
        raise ServersError(
            f"{folder} was written by PostgreSQL {theirs}, but the one here is {mine}. Nothing was "
            "changed. Dump it with the old version and restore it into the new one "
            "(docs/OPERATIONS.md, section Upgrade)."
        )


def wait_until_ready(cluster: Cluster, *, seconds: float, log: Path) -> None:
    """Return once the server answers; otherwise say where its log is."""
    deadline = time.monotonic() + seconds
    while not cluster.is_ready():
        if time.monotonic() > deadline:
            raise ServersError(f"PostgreSQL did not answer within {seconds:g} s; its log is {log}.")
        time.sleep(0.1)
