"""Every socket of the installation."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

import chat_app.routing
import training_app.routing
from otto_web.sockets import Nowhere

websocket_urlpatterns: list[Any] = [
    *training_app.routing.websocket_urlpatterns,
    *chat_app.routing.websocket_urlpatterns,
    re_path(r"", Nowhere.as_asgi()),
]
