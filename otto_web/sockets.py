"""What every websocket passes before its consumer: origin, address, a database that answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.db import Error as DatabaseError
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

log = logging.getLogger(__name__)
Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
PORTS = {"http": 80, "https": 443}
HTTP_OF = {"ws": "http", "wss": "https"}
TRY_LATER = 1013


class SameOrigin:
    """Lets a socket open only for OTTO's own pages: scheme, host and port must be the same.

    Pages of OTTO_TRUSTED_ORIGINS are ours too; there a proxy stands before us.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        named = dict(scope["headers"])
        origin, host = (named.get(name, b"").decode("latin1") for name in (b"origin", b"host"))
        known = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
        own = f"{HTTP_OF[scope.get('scheme', 'ws')]}://{host}"
        if known and _parts(origin) and (_parts(origin) == _parts(own) or _is_trusted(origin)):
            await self.application(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None for what is no origin of a page."""
    try:
        url = urlsplit(origin.lower())
        port = url.port or PORTS.get(url.scheme)
    except ValueError:
        return None
    return (url.scheme, url.hostname, port) if url.hostname and port else None


def _is_trusted(origin: str) -> bool:
    """Say whether OTTO_TRUSTED_ORIGINS names the origin; `https://*.example.org` names many."""
    found = _parts(origin)
    for one in settings.CSRF_TRUSTED_ORIGINS:
        named = _parts(one.replace("*.", "any."))
        if found is None or named is None or found[::2] != named[::2]:
            continue
        pattern = "." + named[1].removeprefix("any.") if "*." in one else named[1]
        if is_same_domain(found[1], pattern):
            return True
    return False


class Patient:
    """Closes a socket with "try again later" where the database does not answer."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            await self.application(scope, receive, send)
        except DatabaseError as error:
            log.warning("a socket was closed: the database does not answer: %s", error)
            await send({"type": "websocket.close", "code": TRY_LATER})


class Nowhere(AsyncWebsocketConsumer):
    """What stands at every address without a socket: the handshake is refused."""

    access_rule = "public"

    async def connect(self) -> None:
        await self.close()
