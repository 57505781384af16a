"""What the web allows one connection: so much time for headers and bodies, so many bytes."""

from __future__ import annotations

import asyncio
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor
from twisted.web.http import HTTPChannel

LINGER_SECONDS = 2  # closed at once, a sender in mid-flow would see a reset and no answer
BODY_SECONDS = 600
KEEP_ALIVE_SECONDS = 75  # longer than proxies keep theirs, so that they close first
MOST_SILENT = 2000  # connections without headers; one more ends the oldest
MOST_SENDING = 200  # bodies on their way, which wait on the disk; one more ends the oldest
LARGEST_FRAME = 64 * 1024
MOST_FRAMES = 64  # that wait for the consumer
MOST_BYTES = 4 * LARGEST_FRAME  # in them
UNREAD_SECONDS = 30.0  # a tab that reads nothing for so long opens its line again
UNLOADED_SECONDS = 600.0  # a download of which nothing was taken for so long is over
POLICY, TOO_SLOW = 1008, 4008


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

    async def wait_for_room(self) -> None:
        """Return when the reader has taken what was sent; hang up on one that takes nothing."""
        channel = getattr(self, "channel", None)  # twisted takes it away at the end
        if channel is not None and not await channel.room.comes_within(UNLOADED_SECONDS):
            channel.forceAbortClient()

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


class Room:
    """Whether a connection has room for more to be sent: some 64 KiB, beside the system's own."""

    def __init__(self) -> None:
        self._there = asyncio.Event()
        self.set()

    def set(self) -> None:
        self._there.set()

    def clear(self) -> None:
        self._there.clear()

    async def comes_within(self, seconds: float) -> bool:
        """Wait for room; say whether it came in time."""
        if self._there.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._there.wait()
        except TimeoutError:
            return False
        return True


class TimedChannel(HTTPChannel):
    """A connection that must say what it wants in time, however slowly its bytes drip.

    It hears from its transport whether the reader keeps up, also when it became a websocket.
    """

    silent: dict[TimedChannel, None] = {}
    sending: dict[TimedChannel, None] = {}
    most_silent = MOST_SILENT
    header_seconds = 0.0  # from connecting to the end of the first request's headers

    def connectionMade(self) -> None:  # noqa: N802 - twisted's name
        self._deadline: Any = None
        self.room = Room()
        super().connectionMade()
        self._await(self.silent, self.most_silent, self.header_seconds)

    def _await(self, line: dict[TimedChannel, None], most: int, seconds: float) -> None:
        """Give it so long, in a line in which no more than these may stand."""
        self._set_deadline(seconds)
        line[self] = None
        if len(line) > most:
            oldest = next(iter(line))
            del line[oldest]  # it is lost only in the reactor's next turn
            oldest.forceAbortClient()

    def _set_deadline(self, seconds: float | None) -> None:
        self.silent.pop(self, None)
        self.sending.pop(self, None)
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        wanted = seconds is not None
        self._deadline = reactor.callLater(seconds, self.timeoutConnection) if wanted else None

    def allHeadersReceived(self) -> None:  # noqa: N802 - twisted's name
        if self.length:
            self._await(self.sending, MOST_SENDING, BODY_SECONDS)
        else:
            self._set_deadline(BODY_SECONDS)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:  # noqa: N802 - twisted's name
        self._set_deadline(None)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - twisted's name
        self._await(self.silent, self.most_silent, KEEP_ALIVE_SECONDS)
        super().requestDone(request)

    def pauseProducing(self) -> None:  # noqa: N802 - twisted's name
        self.room.clear()
        super().pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - twisted's name
        self.room.set()
        super().resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 - twisted's name
        self.room.set()  # nobody is there any more
        super().stopProducing()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - twisted's name
        self._set_deadline(None)
        super().connectionLost(reason)


class BoundedSocket(WebSocketProtocol):
    """A websocket with bounds: frames that wait for the consumer, and bytes that wait for the tab.

    Beyond them it is closed.
    """

    room: Room

    def connectionMade(self) -> None:  # noqa: N802 - twisted's name
        self.room = self.transport.producer.room  # of the channel that this line began as
        super().connectionMade()

    async def wait_for_room(self) -> None:
        """Return when the tab has read what was sent; close the line of one that reads nothing."""
        if not await self.room.comes_within(UNREAD_SECONDS):
            self.serverClose(TOO_SLOW, "This page did not read what was sent to it.")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803, FBT001
        if self.state != self.STATE_OPEN:
            return
        if self.application_queue.qsize() >= MOST_FRAMES or self._bytes_waiting() > MOST_BYTES:
            self.serverClose(POLICY, "Too many messages at once.")
        else:
            super().onMessage(payload, isBinary)

    def _bytes_waiting(self) -> int:
        waiting = self.application_queue._queue  # noqa: SLF001 - nothing public tells
        return sum(len(frame.get("text") or frame.get("bytes") or "") for frame in waiting)

    def onClose(self, wasClean: bool, code: int | None, reason: str) -> None:  # noqa: N802, N803, FBT001
        if hasattr(self, "server"):  # else the handshake was no handshake, and nobody was told
            super().onClose(wasClean, code, reason)

    def serverClose(self, code: int | None = None, why: str = "") -> None:  # noqa: N802 - daphne's name
        """Close with any code; autobahn's own way refuses 1003, 1008, 1009 and 1013."""
        if self.state == self.STATE_OPEN:
            code = code or self.CLOSE_STATUS_CODE_NORMAL
            self.sendCloseFrame(code=code, reasonUtf8=why.encode() or None, isReply=False)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802, FBT001, FBT002
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:  # else nobody hears it
            super().serverSend(content, binary)
