"""Many lines that each take what one may: the web's memory stays where it was, and it answers."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from otto_web.lib.models import ApiToken
from otto_web.lib.tokens import hash_token
from tests.otto_web.test_upload_memory import HEADERS, TOKEN, web_bytes
from tests.otto_web.test_web_limits import UPGRADE, text_frame
from tests.otto_web.test_web_server import running_web, say

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
SOCKETS, UPLOADS = 200, 50
FRAME = text_frame(64 * 1024)
PIECE = 8 << 20
DRIP = bytes(16 * 1024)


def answers(port):
    return say(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")[0] == 200


def test_sockets_that_send_the_largest_frames_and_read_nothing(process_env, mia, client_of):
    session = client_of(mia).cookies["sessionid"].value
    with running_web(process_env | {"MALLOC_ARENA_MAX": "2"}) as port, ExitStack() as lines:
        origin = f"http://127.0.0.1:{port}"
        said = {"path": "/ws/chat/", "port": port, "origin": origin, "session": session, "more": ""}
        opened = []
        for _ in range(SOCKETS):
            opened.append(lines.enter_context(socket.create_connection(("127.0.0.1", port), 60)))
            opened[-1].sendall(UPGRADE.format(**said).encode())
            assert opened[-1].recv(12) == b"HTTP/1.1 101"
        idle = web_bytes()

        def flood(line):
            with suppress(OSError):  # it is closed: that is the point
                for _ in range(100):
                    line.sendall(FRAME)

        with ThreadPoolExecutor(SOCKETS) as people:
            list(people.map(flood, opened))
        assert answers(port)
        assert web_bytes() - idle < 150 << 20


def test_uploads_that_drip(process_env, cora):
    ApiToken.objects.create(
        user=cora, name="slow", prefix="otto_sl", sha256=hash_token(TOKEN), scopes=["uploads"]
    )
    head = "\r\n".join(
        [
            "PATCH /uploads/tus/4a1ce4b6-8d8e-4a5e-9d3f-0f4f1b0a1c2d/ HTTP/1.1",
            "Host: 127.0.0.1",
            *(f"{name}: {value}" for name, value in HEADERS.items()),
            "Content-Type: application/offset+octet-stream",
            "Upload-Offset: 0",
            f"Content-Length: {PIECE}",
            "\r\n",
        ]
    )
    with running_web(process_env | {"MALLOC_ARENA_MAX": "2"}) as port, ExitStack() as lines:
        idle = web_bytes()
        opened = [
            lines.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(UPLOADS)
        ]
        for line in opened:
            line.sendall(head.encode())
        for _ in range(PIECE // len(DRIP) - 1):
            for line in opened:
                line.sendall(DRIP)
        assert answers(port)
        assert web_bytes() - idle < 90 << 20
