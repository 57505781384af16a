"""What was backed up comes back; nobody else can read it, or the password on its way."""

from __future__ import annotations

import errno
import os
import subprocess
import tarfile
import uuid
from io import BytesIO, StringIO

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from datasets_app.models import Blob, Upload
from datasets_app.models.blob import blob_path
from otto_web import backup
from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from tests.otto_web.test_own_files import run

SHA = "ab" + "0" * 62


@pytest.fixture
def installation(process_env, data_dir, settings, postgres_server, tmp_path, monkeypatch, mia):
    """A person, an upload, its bytes and a key."""
    settings.OTTO_VAR_DIR = tmp_path / "var"
    settings.OTTO_VAR_DIR.mkdir()
    (settings.OTTO_VAR_DIR / "secret_key").write_text("the key")
    settings.DATABASE_URL = process_env["DATABASE_URL"]
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, process_env[name])
    monkeypatch.delenv("OTTO_SECRET_KEY")
    blob_path(SHA).parent.mkdir(parents=True)
    blob_path(SHA).write_bytes(b"bytes")
    blob = Blob.objects.create(sha256=SHA, size=5)
    return Upload.objects.create(name="a.txt", size=5, blob=blob, created_by=mia)


@pytest.fixture
def other_database(postgres_server):
    """An empty database beside that of the tests; gives its address."""
    name = f"restored_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_server.url(name)


@pytest.fixture
def command_lines(monkeypatch):
    """Give the command lines of all programs that this process starts."""
    seen, plain = [], subprocess.run

    def watched(command, **options):
        seen.append(" ".join(map(str, command)))
        return plain(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    return seen


def sweep_while_dumping(line):
    """Remove the upload as a person and the reaper would, while the database is dumped."""
    if "Dumping" in line:
        Upload.objects.all().delete()
        Blob.objects.all().delete()
        blob_path(SHA).unlink()


@pytest.fixture
def target(installation, data_dir, tmp_path):
    """A backup that was taken while something was removed."""
    target, before = tmp_path / "safe" / "otto.tar", os.umask(0o022)
    try:
        backup.take_backup(target, say=sweep_while_dumping)
    finally:
        os.umask(before)
    assert not list(data_dir.glob(f"{backup.HIDDEN}*"))
    return target


@pytest.mark.slow
def test_a_backup_is_this_user_s_alone_and_shows_no_password(
    command_lines, target, data_dir, postgres_server
):
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["otto.tar"]
    assert len(command_lines) == 1
    assert "pg_dump" in command_lines[0]
    assert postgres_server.password not in command_lines[0]
    with pytest.raises(backup.BackupError, match="exists already"):
        backup.take_backup(target, say=print)
    with pytest.raises(backup.BackupError, match="inside the data folder"):
        backup.take_backup(data_dir / "otto.tar", say=print)


@pytest.mark.slow
def test_a_backup_is_whole_and_comes_back(target, other_database, process_env, data_dir, tmp_path):
    there = tmp_path / "there"
    (there / "data").mkdir(parents=True)
    (there / "data" / "old").write_text("kept")
    servers = {"DATABASE_URL": other_database, "REDIS_URL": process_env["REDIS_URL"]}
    done = run(there, "manage.py", "restore", str(target), **servers)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(other_database) as connection:
        (person,) = connection.execute("SELECT username FROM auth_user").fetchone()
        (named,) = connection.execute("SELECT blob_id FROM datasets_app_upload").fetchone()
    assert (person, named) == ("mia", SHA)
    assert (there / "data" / blob_path(SHA).relative_to(data_dir)).read_bytes() == b"bytes"
    assert (there / "secret_key").read_text() == "the key"
    assert [path.read_text() for path in there.glob("data/before-restore-*/old")] == ["kept"]
    again = run(there, "manage.py", "restore", str(target), **servers)
    assert again.returncode == 1
    assert "People are here already" in again.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("installation")
def test_what_is_no_backup_changes_nothing(tmp_path):
    wrong = tmp_path / "wrong.tar"
    with tarfile.open(wrong, "w") as archive:
        archive.add(__file__, "a.py")
    with pytest.raises(CommandError, match="cannot be read as a backup"):
        call_command("restore", str(wrong), replace=True, stdout=StringIO())
    assert User.objects.get().username == "mia"


@pytest.mark.slow
@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [({"otto.dump": b"no dump"}, "pg_restore failed"), ({}, "is not whole")],
)
def test_a_backup_that_is_damaged_changes_nothing(content, sentence, data_dir, tmp_path):
    damaged = tmp_path / "damaged.tar"
    with tarfile.open(damaged, "w") as archive:
        for name, data in ({backup.FACTS: b'{"format": 1}'} | content).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))
        archive.add(tmp_path / "var", backup.DATA)
    with pytest.raises(CommandError, match=sentence):
        call_command("restore", str(damaged), replace=True, stdout=StringIO())
    assert User.objects.get().username == "mia"
    assert blob_path(SHA).read_bytes() == b"bytes"
    assert [path.name for path in data_dir.iterdir()] == ["blobs"]


def test_nothing_is_restored_below_a_process_that_works(installation, tmp_path):
    ProcessBeat.objects.create(
        kind=ProcessKind.WEB,
        state=ProcessState.IDLE,
        host="elsewhere",
        pid=7,
        pid_started_at=1.0,
        seen_at=timezone.now(),
    )
    with pytest.raises(CommandError, match="OTTO runs here"):
        call_command("restore", str(tmp_path / "any.tar"), replace=True, stdout=StringIO())


def test_a_backup_that_cannot_be_finished_leaves_nothing(installation, tmp_path, monkeypatch):
    def full(descriptor, kept):
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "_fill_archive", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(tmp_path / "safe" / "otto.tar"), stdout=StringIO())
    assert not list((tmp_path / "safe").iterdir())
