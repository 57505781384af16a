"""What the web allows one connection: so much time for headers and bodies, so many bytes."""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor
from twisted.web.http import HTTPChannel

LINGER_SECONDS = 2  # closed at once, a sender in mid-flow would see a reset and no answer
BODY_SECONDS = 600
KEEP_ALIVE_SECONDS = 75  # longer than proxies keep theirs, so that they close first
MOST_SILENT = 2000  # connections without headers; one more ends the oldest
LARGEST_FRAME = 64 * 1024
MOST_FRAMES = 64  # that wait for the consumer
POLICY = 1008


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


class TimedChannel(HTTPChannel):
    """A connection that must say what it wants in time, however slowly its bytes drip."""

    silent: dict[TimedChannel, None] = {}
    most_silent = MOST_SILENT
    header_seconds = 0.0  # from connecting to the end of the first request's headers

    def connectionMade(self) -> None:  # noqa: N802 - twisted's name
        self._deadline: Any = None
        super().connectionMade()
        self._await_headers(self.header_seconds)
        if len(self.silent) > self.most_silent:
            next(iter(self.silent)).forceAbortClient()

    def _await_headers(self, seconds: float) -> None:
        self._set_deadline(seconds)
        self.silent[self] = None

    def _set_deadline(self, seconds: float | None) -> None:
        self.silent.pop(self, None)
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        wanted = seconds is not None
        self._deadline = reactor.callLater(seconds, self.timeoutConnection) if wanted else None

    def allHeadersReceived(self) -> None:  # noqa: N802 - twisted's name
        self._set_deadline(BODY_SECONDS)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:  # noqa: N802 - twisted's name
        self._set_deadline(None)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - twisted's name
        self._await_headers(KEEP_ALIVE_SECONDS)
        super().requestDone(request)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - twisted's name
        self._set_deadline(None)
        super().connectionLost(reason)


class BoundedSocket(WebSocketProtocol):
    """A websocket whose frames wait for the consumer in a short queue; beyond it, it is closed."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803, FBT001
        if self.state != self.STATE_OPEN:
            return
        if self.application_queue.qsize() >= MOST_FRAMES:
            self.serverClose(POLICY)
        else:
            super().onMessage(payload, isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str) -> None:  # noqa: N802, N803, FBT001
        if hasattr(self, "server"):  # else the handshake was no handshake, and nobody was told
            super().onClose(wasClean, code, reason)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 - daphne's name
        """Close with any code; autobahn's own way refuses 1003, 1008, 1009 and 1013."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code or self.CLOSE_STATUS_CODE_NORMAL, isReply=False)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802, FBT001, FBT002
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:  # else nobody hears it
            super().serverSend(content, binary)
