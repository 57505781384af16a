"""One PostgreSQL cluster in a folder of ours, on a local port, with a random password."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from otto_web.servers.binaries import postgres_bin, postgres_major
from otto_web.servers.errors import ServersError
from otto_web.servers.identity import as_database_user, let_database_user_read
from otto_web.servers.processes import ProcessName, as_parent, end_all, last_words

USER = DATABASE = "otto"
HOST = "127.0.0.1"
ON_THE_WAY = "the database system is "  # starting up, not yet accepting connections, in recovery
INITDB_OPTIONS = (
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--auth=scram-sha-256",
    "--data-checksums",
    "--no-instructions",
)


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
            **_room(psutil.virtual_memory().total),
        } | dict(options or {})
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        program = postgres_bin() / "postgres"
        return as_database_user([program, "-D", self.folder, *flags], self.folder)

    def refusal(self) -> str:
        """Return why no connection succeeds now; empty when one does."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=3) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return str(error) or "no answer"
        return ""

    def ensure_database(self) -> None:
        """Create OTTO's database when it is missing."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _room(memory: int) -> dict[str, str]:
    """Return what the server may take of a machine's memory, and of its disk for the log.

    PostgreSQL's own defaults are for much smaller data: a million rows would be sorted and updated
    in pieces, and the log be wound up every minute of an import.
    """
    shared = min(1 << 30, max(128 << 20, memory // 16))
    return {
        "shared_buffers": f"{shared >> 20}MB",
        "effective_cache_size": f"{memory // 2 >> 20}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{shared >> 22}MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "jit": "off",  # to compile a statement takes longer than the rows that it saves
    }


def open_cluster(folder: Path, *, port: int, password_file: Path) -> Cluster:
    """Return the cluster of a folder, made on first use; its password stays in the named file."""
    if not (folder / "PG_VERSION").exists():
        _make(folder, password_file)
    _refuse_other_major(folder)
    end_leftover(folder)
    return Cluster(folder, port, password_file.read_text("utf-8").strip())


def end_leftover(folder: Path) -> None:
    """End a server that still runs on the folder, and forget a pid file that names another process.

    The caller holds the lock, so whatever runs there has lost its owner.
    """
    file = folder / "postmaster.pid"
    if not file.exists():
        return
    pid = int(file.read_text("utf-8").split()[0])
    try:
        process = psutil.Process(pid)
        ours = Path(process.cwd()) == folder
        name = ProcessName(pid, process.create_time())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        file.unlink()
        return
    if ours:
        end_all([name])
    file.unlink(missing_ok=True)


def _make(folder: Path, password_file: Path) -> None:
    """Make the cluster beside its place and move it there: a start cut short leaves nothing."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24), "utf-8")
    program = postgres_bin() / "initdb"
    let_database_user_read(password_file)
    place = ("-D", unfinished, "-U", USER, f"--pwfile={password_file}")
    command: list[str | Path] = [program, *place, *INITDB_OPTIONS]
    done = subprocess.run(  # noqa: S603 - our own command line
        as_database_user(command, unfinished),
        capture_output=True,
        check=False,
        env=os.environ | as_parent(),
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ServersError(f"PostgreSQL could not make its folder {folder}: {said}")
    unfinished.rename(folder)


def _refuse_other_major(folder: Path) -> None:
    mine, theirs = postgres_major(postgres_bin()), (folder / "PG_VERSION").read_text().strip()
    if str(mine) != theirs:
        raise ServersError(
            f"{folder} was written by PostgreSQL {theirs}, but the one here is {mine}. Nothing was "
            "changed. Dump it with the old version and restore it into the new one "
            "(docs/OPERATIONS.md, section Upgrade)."
        )


def wait_until_ready(cluster: Cluster, *, seconds: float, log: Path) -> None:
    """Return once the server answers; otherwise say where its log is.

    One that says of itself that it is on the way is waited for without end: after a power cut it
    reads its log again, and that takes as long as there is of it.
    """
    deadline = time.monotonic() + seconds
    while refusal := cluster.refusal():
        if ON_THE_WAY in refusal:
            deadline = time.monotonic() + seconds
        if time.monotonic() > deadline:
            said = f"PostgreSQL did not answer within {seconds:g} s; its log is {log}."
            raise ServersError(said + last_words(log))
        time.sleep(0.1)
