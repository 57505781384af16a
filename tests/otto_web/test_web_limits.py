"""What strangers and broken pages may cost the web: a real process, real connections."""

from __future__ import annotations

import http.client
import resource
import socket
import struct
from contextlib import ExitStack, suppress

import psutil
import pytest

from otto_web.web_protocols import MOST_SENDING
from tests.otto_web.test_web_server import running_web, say
from tests.waiting import until

pytestmark = pytest.mark.slow
FEW_FILES = ("sh", "-c", 'ulimit -S -n 1024; exec "$@"', "sh")  # what many systems give
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n"
    "Origin: {origin}\r\nCookie: sessionid={session}\r\n{more}\r\n"
)


@pytest.fixture
def web(process_env):
    with running_web(process_env | {"OTTO_TRUSTED_PROXIES": "127.0.0.1"}) as port:
        yield port


@pytest.fixture
def upgrade(web, mia, client_of):
    """Give a function that asks for a socket and returns the line and the answer's status."""
    session = client_of(mia).cookies["sessionid"].value
    with ExitStack() as lines:

        def ask(path="/ws/chat/", origin="http://127.0.0.1:{port}", more=""):
            line = socket.create_connection(("127.0.0.1", web), timeout=20)
            lines.enter_context(line)
            origin = origin.format(port=web)
            head = UPGRADE.format(path=path, port=web, origin=origin, session=session, more=more)
            line.sendall(head.encode())
            answer = http.client.HTTPResponse(line)
            answer.begin()
            answer.close()
            return line, answer.status

        yield ask


def text_frame(size):
    """Return a masked text frame; the mask of zeros leaves its text as it is."""
    if size < 126:
        head = bytes([0x81, 0x80 | size])
    elif size < 1 << 16:
        head = b"\x81\xfe" + struct.pack(">H", size)
    else:
        head = b"\x81\xff" + struct.pack(">Q", size)
    return head + bytes(4) + b" " * size


def close_code(line):
    """Read frames until the closing one; return its code."""
    stream = line.makefile("rb")
    while True:
        first, length = stream.read(2)
        size = struct.unpack(">H", stream.read(2))[0] if length == 126 else length
        payload = stream.read(size)
        if first & 0x0F == 8:
            return struct.unpack(">H", payload[:2])[0]


def test_a_socket_opens_for_pages_of_exactly_this_address(upgrade, capfd):
    for wrong in (
        {"path": "/ws/nothing/"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://127.0.0.1:{port}"},
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
    ):
        assert upgrade(**wrong)[1] == 403, wrong
    assert "Traceback" not in capfd.readouterr().err
    said = "X-Forwarded-Proto: https\r\n"
    assert upgrade(origin="https://127.0.0.1:{port}", more=said)[1] == 101
    assert upgrade(origin="http://127.0.0.1:{port}", more=said)[1] == 403


def test_frames_do_not_pile_up(upgrade):
    line, status = upgrade()
    assert status == 101
    line.sendall(text_frame(100_000))
    assert close_code(line) == 1009
    line, _ = upgrade()
    line.sendall(text_frame(2) * 2000)
    assert close_code(line) == 1008
    line, _ = upgrade()
    with suppress(ConnectionError):
        line.sendall(text_frame(60_000) * 8000)  # 480 MB, if they were let in
    web = next(one for one in psutil.Process().children() if "run_web" in one.cmdline())
    assert web.memory_info().rss < 350 * 2**20


@pytest.fixture
def many_files():
    """Let the test itself open more than the web is asked to bear."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_silent_and_dripping_connections_do_not_stop_the_web(process_env):
    env = process_env | {"OTTO_HEADER_SECONDS": "2"}
    with running_web(env, *FEW_FILES) as port, ExitStack() as lines:
        for _ in range(1100):
            lines.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        assert say(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")[0] == 200
        slow = lines.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        until(lambda: is_closed(slow))


@pytest.mark.usefixtures("many_files")
def test_bodies_that_never_end_are_few(web):
    with ExitStack() as lines:
        waiting = []
        for _ in range(MOST_SENDING + 30):
            line = socket.create_connection(("127.0.0.1", web), timeout=20)
            line.sendall(
                b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n\r\n"
            )
            waiting.append(lines.enter_context(line))
        until(lambda: sum(is_closed(line) for line in waiting) == 30, seconds=20)
        assert all(is_closed(line) for line in waiting[:30])
        assert say(web, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")[0] == 200
        assert not is_closed(waiting[30])


def is_closed(line):
    """Drip one more byte; say whether the other side has gone."""
    try:
        line.sendall(b"X")
        line.setblocking(False)
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        line.settimeout(20)
