"""Who reads slowly or not at all costs the web a bounded number of bytes."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest
from django.conf import settings

from otto_web.servers.processes import free_port
from tests.otto_web.test_web_server import answers
from tests.waiting import until

pytestmark = pytest.mark.slow
ENDLESS = """
import asyncio, sys
from otto_web import web_protocols
from otto_web.web_server import build_server
web_protocols.UNREAD_SECONDS = web_protocols.UNLOADED_SECONDS = float(sys.argv[2])
PIECE = 1 << 16

async def listen(receive):
    while not (await receive())["type"].endswith("disconnect"):
        pass

async def endless(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        piece = {"type": "websocket.send", "text": "x" * PIECE}
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        piece = {"type": "http.response.body", "body": b"x" * PIECE, "more_body": True}
    sent, gone = 0, asyncio.ensure_future(listen(receive))
    while not gone.done() and sent < 1 << 30:
        await send(piece)
        sent += PIECE
        await asyncio.sleep(0)
        print("sent", sent, flush=True)
    print("over", flush=True)

build_server(endless, host="127.0.0.1", port=int(sys.argv[1]), body_limit=1 << 20,
             header_seconds=20, on_ready=lambda: None).run()
"""
HEADS = {
    "a page": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a socket": (
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
}
BUFFERS = 24 * 2**20  # what two systems may keep for one line, and then some


@pytest.fixture(params=HEADS)
def endless(request, tmp_path):
    """Give a function that opens a line to a server which sends without end, and what it says."""
    output, port, processes = tmp_path / "said", free_port(), []

    def opened(patience):
        with output.open("w") as said:
            command = [sys.executable, "-c", ENDLESS, str(port), str(patience)]
            processes.append(subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=said))
        until(lambda: answers(port))
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(60)
        line.connect(("127.0.0.1", port))
        line.sendall(HEADS[request.param].encode())
        return line, output.read_text

    yield opened
    for process in processes:
        process.kill()
        process.wait()


def sent(said):
    return max(map(int, re.findall(r"sent (\d+)\n", said())), default=0)


def test_who_reads_nothing_is_sent_little_and_let_go(endless):
    line, said = endless(patience=1)
    with line:
        until(lambda: "over" in said())
        assert 0 < sent(said) < BUFFERS


def test_who_reads_gets_more_only_as_it_reads(endless):
    line, said = endless(patience=600)
    with line:
        taken = 0
        while taken < 2 * BUFFERS:
            taken += len(line.recv(1 << 20))
        assert sent(said) < taken + BUFFERS
    until(lambda: "over" in said())
