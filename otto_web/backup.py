"""One file with everything that an installation knows, and the way back from it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.db import connections

from otto_web import env
from otto_web.lib.files import publish
from otto_web.servers.binaries import postgres_bin

FORMAT = 1
DUMP, KEY, FACTS, DATA = "otto.dump", "secret_key", "backup.json", "data"
HIDDEN, ASIDE = ".backup-", "before-restore-"
NOT_KEPT = ("work", HIDDEN, ASIDE)  # beginnings of names; what is being unpacked is unpacked again
Say = Callable[[str], None]


class BackupError(Exception):
    """A backup or a restore that cannot be carried out, as a sentence for the admin."""


def take_backup(target: Path, *, say: Say) -> None:
    """Write a backup to the file, while OTTO runs if it does; only this user can read it.

    The state is that of one moment. What a row named then is in the copy, although a sweep may
    remove the file while the database is dumped: its bytes have a second name by that time.
    """
    if target.exists():
        raise BackupError(f"{target} exists already; name another file.")
    data: Path = settings.OTTO_DATA_DIR
    if target.resolve().is_relative_to(data):
        raise BackupError(f"{target} is inside the data folder; name a place outside of it.")
    data.mkdir(parents=True, exist_ok=True)
    for left in data.glob(f"{HIDDEN}*"):
        shutil.rmtree(left, ignore_errors=True)
    kept = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=data))
    try:
        _link_all(data, kept / DATA)
        with _snapshot() as snapshot:
            _link_all(data, kept / DATA)
            say("Dumping the database …")
            _run_client("pg_dump", "--format=custom", f"--snapshot={snapshot}",
                        f"--file={kept / DUMP}")  # fmt: skip
        say("Writing the files …")
        _write_archive(target, kept)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _link_all(folder: Path, links: Path) -> None:
    """Give every file of the folder a second name below `links`; a newer one replaces it."""
    links.mkdir(exist_ok=True)
    for entry in os.scandir(folder):
        name = entry.name
        if folder == settings.OTTO_DATA_DIR and name.startswith(NOT_KEPT):
            continue
        if entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):  # it went while we were looking
                _link_all(Path(entry.path), links / name)
        elif entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):
                _link(Path(entry.path), links / name)


def _link(file: Path, link: Path) -> None:
    if link.exists():
        if link.samefile(file):
            return
        link.unlink()
    try:
        link.hardlink_to(file)
    except FileNotFoundError:
        raise
    except OSError:  # a disk without second names
        shutil.copy2(file, link)


@contextmanager
def _snapshot() -> Iterator[str]:
    """Hold one moment of the database; yield the name under which pg_dump sees it."""
    with psycopg.connect(settings.DATABASE_URL) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield str(row[0]) if row else ""


def _write_archive(target: Path, kept: Path) -> None:
    """Write the file beside its place first; one that could not be finished is taken away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with ExitStack() as undo:
        undo.callback(unfinished.unlink)
        _fill_archive(descriptor, kept)
        undo.pop_all()
    publish(unfinished, target)


def _fill_archive(descriptor: int, kept: Path) -> None:
    facts = {"format": FORMAT, "taken_at": time.time()}
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        content = json.dumps(facts).encode()
        entry = tarfile.TarInfo(FACTS)
        entry.size, entry.mode = len(content), 0o600
        archive.addfile(entry, io.BytesIO(content))
        archive.add(kept / DUMP, DUMP)
        archive.add(kept / DATA, DATA)
        key = settings.OTTO_VAR_DIR / KEY
        if key.exists() and not env.text("OTTO_SECRET_KEY"):
            archive.add(key, KEY)


def restore_backup(source: Path, *, say: Say) -> Path | None:
    """Put the state of a backup in place of what is here; the old files are moved aside.

    Return where they are. The caller has made sure that nobody works with the database.
    """
    data: Path = settings.OTTO_DATA_DIR
    data.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=data))
    try:
        say("Reading the files …")
        _read_archive(source, fresh)
        say("Restoring the database …")
        connections.close_all()
        _replace_database(fresh / DUMP)
        return _exchange(data, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _read_archive(source: Path, fresh: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            facts = json.loads((archive.extractfile(FACTS) or io.BytesIO()).read())
            if facts["format"] != FORMAT:
                raise BackupError(f"{source} was written by another version of OTTO.")
            archive.extractall(fresh, filter="data")
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{source} cannot be read as a backup of OTTO: {error}.") from error
    if not ((fresh / DUMP).is_file() and (fresh / DATA).is_dir()):
        raise BackupError(f"{source} is not whole: {DUMP} or {DATA} is missing in it.")


def _replace_database(dump: Path) -> None:
    """Put what was dumped in place of what is there, in one transaction: all of it, or nothing."""
    script = dump.with_suffix(".sql")
    _run("pg_restore", "--no-owner", "--no-comments", f"--file={script}", str(dump))
    _run_client("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
                "--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public",
                f"--file={script}")  # fmt: skip


def _exchange(data: Path, fresh: Path) -> Path | None:
    """Move the old files into one folder beside the new ones, which take their places."""
    aside = data / f"{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}"
    old = [path for path in data.iterdir() if not path.name.startswith(NOT_KEPT)]
    key = settings.OTTO_VAR_DIR / KEY
    if old:
        aside.mkdir()
    for path in old:
        path.rename(aside / path.name)
    for path in (fresh / DATA).iterdir():
        path.rename(data / path.name)
    if (fresh / KEY).exists() and not env.text("OTTO_SECRET_KEY"):
        shutil.move(fresh / KEY, key)
    return aside if old else None


def _run_client(program: str, *words: str) -> None:
    """Let one of PostgreSQL's programs work on the database.

    The password stands in a file, because `ps` shows words.
    """
    url = urlsplit(settings.DATABASE_URL)
    host, port, user = (
        url.hostname or "127.0.0.1",
        str(url.port or 5432),
        unquote(url.username or ""),
    )
    name, password = unquote(url.path.lstrip("/")), unquote(url.password or "")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        file.write(f"*:*:*:*:{escaped}\n")
        file.flush()
        place = (f"--host={host}", f"--port={port}", f"--username={user}", f"--dbname={name}")
        _run(program, *place, "--no-password", *words, PGPASSFILE=file.name)


def _run(program: str, *words: str, **variables: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command line
        [postgres_bin() / program, *words],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")
