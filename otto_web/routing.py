"""Every socket of the installation."""

from __future__ import annotations

from typing import Any

import chat_app.routing
import training_app.routing

websocket_urlpatterns: list[Any] = [
    *training_app.routing.websocket_urlpatterns,
    *chat_app.routing.websocket_urlpatterns,
]
