"""Daphne with OTTO's limits: a body that is too large is refused when its headers are complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet import reactor

PING_SECONDS = 20
APPLICATION_CLOSE_SECONDS = 5
LINGER_SECONDS = 2  # closed at once, a sender in mid-flow would see a reset and no answer


class LimitedRequest(WebRequest):
    """A request whose body is never kept, in memory or on the disk, beyond the limit."""

    body_limit = 0
    is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - twisted's name
        """Twisted calls this between the headers and the body: the place to refuse."""
        if length is None:
            self._refuse(b"411 Length Required", "Send the length of the body in its header.")
        elif length > self.body_limit:
            limit = f"{self.body_limit / 2**20:.0f} MiB"
            self._refuse(b"413 Content Too Large", f"A request carries at most {limit}.")
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - twisted's name
        if not self.is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - twisted's name
        if self.is_refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self, status: bytes, sentence: str) -> None:
        super().gotLength(0)
        self.is_refused = True
        self.requestHeaders.removeHeader(b"Expect")
        body = sentence.encode()
        self.channel.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)
        )
        reactor.callLater(LINGER_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        if self.channel is not None:
            self.channel.loseConnection()


class LimitedFactory(HTTPFactory):
    """Makes the limited requests."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


def build_server(
    application: Callable[..., Any],
    *,
    host: str,
    port: int,
    body_limit: int,
    on_ready: Callable[[], None],
) -> daphne.server.Server:
    """Return a server that is ready to run on the address."""
    LimitedRequest.body_limit = body_limit
    daphne.server.HTTPFactory = LimitedFactory  # daphne names its factory in the middle of run()
    escaped = host.replace(":", r"\:")
    return daphne.server.Server(
        application=application,
        endpoints=[f"tcp:port={port}:interface={escaped}"],
        ping_interval=PING_SECONDS,
        application_close_timeout=APPLICATION_CLOSE_SECONDS,
        server_name="otto",
        ready_callable=on_ready,
    )


def stop_server() -> None:
    """Ask the running server to end; may be called from any thread."""
    reactor.callFromThread(reactor.stop)
