"""Daphne with OTTO's limits on bodies, frames, waiting and open files."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import reactor

from otto_web.web_protocols import (
    LARGEST_FRAME,
    MOST_SILENT,
    BoundedSocket,
    LimitedRequest,
    TimedChannel,
)

PING_SECONDS = 20
APPLICATION_CLOSE_SECONDS = 5
BACKLOG = 1024  # connections that wait to be accepted
MOST_FILES = 65_536


class LimitedFactory(HTTPFactory):
    """Makes the connections and requests that have limits."""

    protocol = TimedChannel

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


class BoundedFactory(WebSocketFactory):
    """Makes the sockets that have limits; a frame that is too big is answered by a close code."""

    protocol = BoundedSocket

    def setProtocolOptions(self, **options: Any) -> None:  # noqa: N802 - autobahn's name
        super().setProtocolOptions(failByDrop=False, **options)


class Server(daphne.server.Server):
    """Daphne's server; whoever sends to a slow reader waits, instead of filling the memory.

    It can stop while somebody is connected who has asked for nothing yet.
    """

    connections: dict[Any, dict[str, Any]]

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] in {"http.response.body", "websocket.send"}:
            await protocol.wait_for_room()

    def kill_all_applications(self) -> Any:
        self.connections = {
            protocol: details
            for protocol, details in self.connections.items()
            if "application_instance" in details
        }
        return super().kill_all_applications()


def build_server(
    application: Callable[..., Any],
    *,
    host: str,
    port: int,
    body_limit: int,
    header_seconds: float,
    on_ready: Callable[[], None],
) -> Server:
    """Return a server that is ready to run on the address."""
    LimitedRequest.body_limit = body_limit
    TimedChannel.header_seconds = header_seconds
    daphne.server.HTTPFactory = LimitedFactory  # daphne names its factories in the middle of run()
    daphne.server.WebSocketFactory = BoundedFactory
    escaped = host.replace(":", r"\:")
    return Server(
        application=application,
        endpoints=[f"tcp:port={port}:interface={escaped}:backlog={BACKLOG}"],
        ping_interval=PING_SECONDS,
        websocket_max_frame_size=LARGEST_FRAME,
        websocket_max_message_size=LARGEST_FRAME,
        application_close_timeout=APPLICATION_CLOSE_SECONDS,
        server_name="otto",
        ready_callable=on_ready,
    )


def stop_server() -> None:
    """Ask the running server to end; may be called from any thread."""
    reactor.callFromThread(reactor.stop)


def allow_many_files() -> None:
    """Raise the soft limit of open files: each connection is one, and many systems say 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    TimedChannel.most_silent = min(MOST_SILENT, soft // 2)
