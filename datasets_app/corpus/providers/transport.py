"""The one way out to a provider: checked addresses, and an end in time and size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpcore2
import httpx2

from datasets_app.corpus.providers.provider import Address
from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.fetch import context_of
from datasets_app.corpus.web.guard import Guard

# What a request needs. The libraries add more, some of it from variables of the environment: other
# keys, an organisation, a project, what computer this is. None of that was said of the provider.
SENT = frozenset(
    (
        *("host", "connection", "accept", "content-type", "content-length", "transfer-encoding"),
        "anthropic-version",
    )
)


class OutOfBoundsError(httpx2.TransportError):
    """A reply that was larger, or took longer, than is allowed; or an address inside."""


class Backend(httpcore2.NetworkBackend):
    """Connects to the very address that the guard has checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        fault: Exception = httpcore2.ConnectError(f"{host} has no address.")
        for place in self._guard.places(host, port):
            try:
                return self._inner.connect_tcp(place, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault


class Counted(httpx2.SyncByteStream):
    """A reply's bytes until there are too many or it takes too long."""

    def __init__(self, inner: Any, most: int, end: float) -> None:
        self._inner, self._most, self._end = inner, most, end

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._inner:
            size += len(part)
            if size > self._most:
                raise OutOfBoundsError(f"The reply is larger than {self._most >> 20} MB.")
            if time.monotonic() > self._end:
                raise OutOfBoundsError("The reply took too long.")
            yield part

    def close(self) -> None:
        self._inner.close()


class Transport(httpx2.HTTPTransport):
    """Sends to guarded addresses only, by no proxy, and reads no more than is allowed.

    The provider's own key is the only one that it sends.
    """

    def __init__(self, address: Address, auth: Mapping[str, str]) -> None:
        super().__init__(trust_env=False)
        self._address, self._auth = address, auth if address.key else {}
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context_of(address.ca_file), network_backend=Backend(address.guard)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        end = time.monotonic() + self._address.reply_seconds
        sent = {name: value for name, value in request.headers.items() if name.lower() in SENT}
        sent["accept-encoding"] = "identity"  # nothing that unpacks to gigabytes
        sent["user-agent"] = "OTTO"
        request.headers = httpx2.Headers({**sent, **self._auth})
        try:
            response = super().handle_request(request)
        except WebError as error:
            raise OutOfBoundsError(str(error)) from error
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise OutOfBoundsError("The reply is packed although this was not asked for.")
        response.stream = Counted(response.stream, self._address.largest_reply, end)
        return response


def client_of(address: Address, auth: Mapping[str, str]) -> httpx2.Client:
    """Return a client for one request, which follows no redirect; `auth` is how the key is sent."""
    timeout = httpx2.Timeout(address.reply_seconds, connect=address.connect_seconds)
    return httpx2.Client(
        transport=Transport(address, auth),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
    )
