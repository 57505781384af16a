"""Who asks, seen through the proxies that the admin trusts; others are not believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"
SECURE = {"http": "https", "websocket": "wss"}
PLAIN = {"http": "http", "websocket": "ws"}


class Forwarded:
    """Puts the real address and scheme into the scope and takes the headers about them out.

    What comes later, Django included, then needs no rule about proxies of its own.
    """

    def __init__(self, application: Application, trusted: Sequence[Network]) -> None:
        self.application, self.trusted = application, trusted

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] in SECURE:
            scope = self.seen_through(scope)
        await self.application(scope, receive, send)

    def seen_through(self, scope: Scope) -> Scope:
        """Return the scope as the proxy saw its request, or without what nobody may claim."""
        kind, client = scope["type"], scope.get("client")
        hops, proto, kept = _split(scope["headers"])
        scheme = scope.get("scheme", PLAIN[kind])
        if client and self._is_trusted(address_in(client[0])):
            client = [self._first_untrusted(client[0], hops), 0] if hops else client
            scheme = SECURE[kind] if proto == "https" else scheme
        return scope | {"headers": kept, "client": client, "scheme": scheme}

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.trusted)

    def _first_untrusted(self, peer: str, hops: Sequence[str]) -> str:
        """Walk from the nearest hop outwards; what stands beyond an untrusted one is hearsay."""
        seen = peer
        for hop in reversed(hops):
            address = address_in(hop)
            if address is None:
                break
            seen = str(address)
            if not self._is_trusted(address):
                break
        return seen


def _split(headers: Iterable[tuple[bytes, bytes]]) -> tuple[list[str], str, list[Any]]:
    """Return the hops in order, the scheme that the nearest proxy names, and all other headers."""
    hops: list[str] = []
    protos: list[str] = []
    kept = []
    for name, value in headers:
        if name == FOR:
            hops += value.decode("latin1").split(",")
        elif name == PROTO:
            protos += value.decode("latin1").split(",")
        else:
            kept.append((name, value))
    return hops, protos[-1].strip().lower() if protos else "", kept


def address_in(text: str) -> Address | None:
    """Return the address in `1.2.3.4`, `1.2.3.4:80`, `::1` or `[::1]:80`, else None."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
