"""The web refuses a body that is too large before it arrives."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest
from django.conf import settings

from otto_web.servers.processes import free_port
from tests.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def running_web(env, *prefix):
    port = free_port()
    command = [*prefix, sys.executable, "manage.py", "run_web", "--port", str(port)]
    process = subprocess.Popen(command, env=env, cwd=settings.BASE_DIR)
    try:
        until(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        assert process.wait(300) == 0


@pytest.fixture
def web(process_env):
    with running_web(process_env) as port:
        yield port


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def say(port, head, body=b""):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head.encode() + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, answer.read().decode()


def test_bodies_beyond_the_limit_are_refused(web):
    head = "POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}"
    status, words = say(web, head.format(10 * 2**20))
    assert status == 413
    assert "9 MiB" in words
    status, _ = say(web, head.format(10 * 2**20), os.urandom(3 * 2**20))
    assert status == 413
    status, _ = say(web, "POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked")
    assert status == 411
    status, words = say(web, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")
    assert (status, words) == (200, '{"status": "ok"}')


@contextmanager
def standing_still(cluster):
    """Stop every process of a PostgreSQL for as long as the block lasts."""
    first = psutil.Process(int((cluster.folder / "postmaster.pid").read_text().split()[0]))
    processes = [first, *first.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_a_database_that_stands_still_is_a_503_and_comes_back(
    process_env, postgres_server, mia, client_of
):
    cookie = client_of(mia).cookies["sessionid"].value
    head = f"GET /profile/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}"
    with running_web(process_env | {"OTTO_DB_POOL": "2"}) as port:
        assert say(port, head)[0] == 200
        with standing_still(postgres_server):
            status, words = say(port, head)  # which itself gives up after ten seconds
            assert status == 503
            assert "Retry" in words or "again" in words
        until(lambda: say(port, head)[0] == 200)


@pytest.mark.checklist(386)
def test_a_web_without_its_servers_says_so(process_env):
    nowhere = f"127.0.0.1:{free_port()}"
    lost = {"DATABASE_URL": f"postgres://otto@{nowhere}/otto", "REDIS_URL": f"redis://{nowhere}"}
    with running_web(process_env | lost) as port:
        assert say(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")[0] == 200
        status, words = say(port, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1")
    assert status == 503
    assert "the database does not answer" in words
    assert "Redis does not answer" in words
