"""How requests of the API reach Django: without a thread of their own.

Django gives every request a thread for its synchronous parts, until the answer's last byte. A
stream lasts long and waits most of the time, so the API shares one thread with the sockets; it
asks short questions only.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler

OPENING = "/v1/"
STREAM = ("/api/v1/", "/logs/stream")  # how an address begins and ends that streams, too


class ApiHandler:
    """Passes requests of the API to Django's handler by a way beside its thread for each."""

    def __init__(self, application: ASGIHandler) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope["path"]
        is_stream = path.startswith(STREAM[0]) and path.endswith(STREAM[1])
        if path.startswith(OPENING) or is_stream:
            await self.application.handle(scope, receive, send)
        else:
            await self.application(scope, receive, send)
