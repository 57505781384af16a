"""The ASGI application: pages over HTTP, live parts over websockets."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otto_web.settings")
http_application = get_asgi_application()

from otto_web.api_handler import ApiHandler  # noqa: E402 - needs the settings
from otto_web.forwarded import Forwarded  # noqa: E402 - needs the settings
from otto_web.routing import websocket_urlpatterns  # noqa: E402 - needs the loaded apps
from otto_web.sockets import Patient, SameOrigin  # noqa: E402 - needs the settings

_protocols = ProtocolTypeRouter(
    {
        "http": ApiHandler(http_application),
        "websocket": Patient(SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))),
    }
)
application = Forwarded(_protocols, settings.OTTO_TRUSTED_PROXIES)
