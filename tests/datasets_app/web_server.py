"""A web server on this machine with good pages, and with every trick that a bad one knows."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = BaseHTTPRequestHandler
WORDS = "Parcels leave our warehouse on the day of the order and arrive within two working days."


def page(title: str, *texts: str, links: tuple[str, ...] = ()) -> bytes:
    """Return a page with paragraphs and links."""
    told = "".join(f"<p>{text}</p>" for text in texts)
    led = "".join(f'<p>See <a href="{link}">more</a></p>' for link in links)
    head = f"<!doctype html><html><head><title>{title}</title></head>"
    return f"{head}<body><h1>{title}</h1>{told}{led}</body></html>".encode()


@dataclass
class Site:
    """What the server answers, by path: bytes of a page, or a function that answers by itself."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str) -> str:
        return f"{self.address}{path}"


@contextmanager
def serving(answers: dict[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Yield a site at an address of this machine; its port is free."""
    site = Site(dict(answers))

    class Here(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            answer = site.answers.get(self.path, site.answers.get("*"))
            if answer is None:
                self.send_error(404)
            elif callable(answer):
                answer(self)
            else:
                send(self, answer)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass  # the other side hangs up on answers that never end

    with Server(("127.0.0.1", 0), Here) as server:
        site.address = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()


def send(to: Handler, body: bytes, kind: str = "text/html; charset=utf-8", **more: str) -> None:
    """Send a body with its headers; `Content_Encoding="gzip"` names one with a dash."""
    to.send_response(200)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
        to.send_header(name.replace("_", "-"), value)
    to.end_headers()
    to.wfile.write(body)


def redirect(target: str, status: int = 302) -> Callable[[Handler], None]:
    def answer(to: Handler) -> None:
        to.send_response(status)
        to.send_header("Location", target)
        to.end_headers()

    return answer


def status(code: int) -> Callable[[Handler], None]:
    return lambda to: to.send_error(code)


def endless(to: Handler) -> None:
    """Send a body that never ends."""
    to.send_response(200)
    to.send_header("Content-Type", "text/html")
    to.end_headers()
    while True:
        to.wfile.write(b"<p>again</p>" * 4096)


def bomb(to: Handler) -> None:
    """Send a few kilobytes that unpack to 64 MiB."""
    send(to, gzip.compress(b"\0" * (64 << 20), 1), Content_Encoding="gzip")


def huge_headers(to: Handler) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"a" * (1 << 20) + b"\r\n\r\n")


def cut_off(to: Handler) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<p>This is")


def cut_off_when_packed(to: Handler) -> None:
    """Send half of a packed page, without saying how long it is."""
    packed = gzip.compress(bytes(range(256)) * 4)
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed[:-20])


def no_server(to: Handler) -> None:
    to.wfile.write(b"220 mail.example.org ESMTP\r\n")


def dripping(site: Callable[[], Site]) -> Callable[[Handler], None]:
    """Return an answer of which a byte comes now and then, for ever."""

    def answer(to: Handler) -> None:
        to.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not site().over.wait(0.05):
            to.wfile.write(b"X")

    return answer


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
