"""Which computers pages may be fetched from: public ones, and those that the operator named."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore

from datasets_app.corpus.web.errors import WebError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NOBODYS = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("192.0.0.0/24", "64:ff9b:1::/48", "::/96"),
        *("192.88.99.0/24", "fec0::/10"),  # no longer in use, so it is inside if it is anywhere
        "168.63.129.16/32",  # Azure's agent of the host
    )
)
LOW_32 = 0xFFFFFFFF
ISATAP = frozenset({0x5EFE, 0x0200_5EFE})  # before an address of IPv4, whatever the network


def is_public(address: Address) -> bool:
    """Say whether anybody may be there: no private, loopback, link-local or metadata address.

    An IPv6 address that only wraps one of IPv4 is what it wraps.
    """
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            wrapped = address.teredo[1]
        if address in NAT64 or int(address) >> 32 & LOW_32 in ISATAP:
            wrapped = ipaddress.IPv4Address(int(address) & LOW_32)
        if wrapped is not None:
            return is_public(wrapped)
    if any(address in network for network in NOBODYS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _looked_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]).split("%")[0] for one in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Looks up a name once and says where to connect; raises WebError for what is inside.

    `hosts` and `networks` are what the operator allows besides public addresses.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    look_up: Callable[[str, int], list[str]] = field(default=_looked_up)

    @classmethod
    def of(cls, allowed: Iterable[str]) -> Guard:
        """Return the guard of a setting: names of hosts, addresses and networks."""
        hosts, networks = set[str](), list[Network]()
        for one in allowed:
            try:
                networks.append(ipaddress.ip_network(one.strip("[]"), strict=False))
            except ValueError:
                hosts.add(one.casefold().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def places(self, host: str, port: int) -> list[str]:
        """Return the numeric addresses of a host, each of which may be connected to."""
        try:
            found = self.look_up(host, port)
        except (OSError, UnicodeError) as error:
            raise WebError("no_name", f"The name {host} is not known here.") from error
        if host.casefold().rstrip(".") not in self.hosts:
            for one in found:
                self._check(host, ipaddress.ip_address(one))
        return found

    def is_named(self, host: str, port: int) -> bool:
        """Say whether the operator named the host, or a network that it lies in."""
        if host.casefold().rstrip(".") in self.hosts:
            return True
        found = [ipaddress.ip_address(one) for one in self.places(host, port)]
        return all(any(one in network for network in self.networks) for one in found)

    def _check(self, host: str, address: Address) -> None:
        inside = any(address in network for network in self.networks)
        if not inside and not is_public(address):
            raise WebError("inside", f"{host} is {address}, an address of an internal network.")


@dataclass(slots=True)
class Backend(httpcore.NetworkBackend):
    """Connects to the very address that was checked, and gives all of a request one end in time."""

    guard: Guard
    seconds: float
    touch: Callable[[], None] = field(default=lambda: None)
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        fault: Exception = httpcore.ConnectError(f"{host} has no address.")
        for place in self.guard.places(host, port):
            try:
                inner = httpcore.SyncBackend().connect_tcp(
                    place, port, self.left(timeout), local_address, socket_options
                )
            except httpcore.ConnectError as error:
                fault = error
            else:
                return Timed(inner, self)
        raise fault

    def left(self, timeout: float | None) -> float:
        """Return how long the next step may take."""
        self.touch()
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The time for this page is over.")
        return left if timeout is None else min(left, timeout)


@dataclass(slots=True)
class Timed(httpcore.NetworkStream):
    """A connection of which no step goes beyond the end of its request."""

    inner: httpcore.NetworkStream
    backend: Backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, self.backend.left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self.backend.left(timeout)
        return Timed(self.inner.start_tls(ssl_context, server_hostname, left), self.backend)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)
