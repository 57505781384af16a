"""PostgreSQL starts from whatever an earlier start has left."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otto_web.servers import identity, postgres, processes
from otto_web.servers.binaries import postgres_bin
from otto_web.servers.errors import ServersError
from tests.waiting import until

pytestmark = pytest.mark.slow


def serve(folder, root=None):
    root = root or folder
    cluster = postgres.open_cluster(
        root / "data", port=processes.free_port(), password_file=root / "password"
    )
    log = root / "log"
    process = processes.start(cluster.command({"fsync": "off"}), log=log)
    postgres.wait_until_ready(cluster, seconds=120, log=log)
    return cluster, process


def test_a_killed_server_comes_back_with_its_data(tmp_path):
    cluster, process = serve(tmp_path)
    cluster.ensure_database()
    process.kill()
    process.wait()
    again, process = serve(tmp_path)
    again.ensure_database()
    assert again.password == cluster.password
    processes.stop(process, signal.SIGINT)
    assert process.returncode == 0


def test_a_server_that_is_on_its_way_is_waited_for(tmp_path):
    cluster, process = serve(tmp_path)
    processes.stop(process, signal.SIGINT)
    (tmp_path / "data" / "standby.signal").touch()  # it reads its log and goes on waiting for more
    log, options = tmp_path / "log", {"fsync": "off", "hot_standby": "off"}
    process = processes.start(cluster.command(options), log=log)
    until(lambda: postgres.ON_THE_WAY in cluster.refusal())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(postgres.wait_until_ready, cluster, seconds=1, log=log)
        with pytest.raises(TimeoutError):
            waiting.result(2)
        (tmp_path / "data" / "promote").touch()
        process.send_signal(signal.SIGUSR1)
        waiting.result(60)
    processes.stop(process, signal.SIGINT)


def test_a_server_that_lost_its_owner_is_ended_first(tmp_path):
    _, left = serve(tmp_path)
    _, process = serve(tmp_path)
    assert left.wait(300) is not None
    processes.stop(process, signal.SIGINT)


def test_the_pid_file_of_another_process_is_not_trusted(tmp_path):
    _, process = serve(tmp_path)
    processes.stop(process, signal.SIGINT)
    (tmp_path / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    _, process = serve(tmp_path)
    processes.stop(process, signal.SIGINT)


def test_a_first_start_that_was_cut_short_leaves_nothing(tmp_path):
    half = tmp_path / "data.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    _, process = serve(tmp_path)
    processes.stop(process, signal.SIGINT)
    assert not half.exists()


def test_the_folder_of_another_major_version_is_refused(tmp_path):
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServersError, match="written by PostgreSQL 9, but the one here is"):
        postgres.open_cluster(tmp_path, port=1, password_file=tmp_path / "password")


def test_a_bin_folder_without_postgresql_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("OTTO_PG_BIN", str(tmp_path))
    with pytest.raises(ServersError, match="there is no initdb"):
        postgres_bin()


def test_an_older_postgresql_is_refused(tmp_path, monkeypatch):
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.4'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("OTTO_PG_BIN", str(tmp_path))
    with pytest.raises(ServersError, match="OTTO_PG_BIN is PostgreSQL 15; OTTO needs 16 or newer"):
        postgres_bin()


@pytest.fixture
def without_namespaces(monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root needs another user for PostgreSQL")
    monkeypatch.setattr(identity, "namespace_prefix", lambda: ())


def test_root_without_namespaces_runs_it_as_nobody(without_namespaces):
    closed = [one for one in postgres_bin().parents if not one.stat().st_mode & 0o001]
    if closed:
        pytest.skip(f"{closed[0]} is closed to others")
    folder = Path(tempfile.mkdtemp(prefix="otto-open-"))
    folder.chmod(0o755)
    try:
        cluster, process = serve(folder)
        cluster.ensure_database()
        assert cluster.folder.owner() == "nobody"
        processes.stop(process, signal.SIGINT)
    finally:
        shutil.rmtree(folder)


def test_a_folder_that_nobody_can_reach_is_named(without_namespaces, tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(ServersError, match=r"because .* is closed to others"):
        postgres.open_cluster(tmp_path / "data", port=1, password_file=tmp_path / "password")
