"""Sockets of this app."""

from __future__ import annotations

from typing import Any

from django.urls import path

from chat_app.consumers.chat import ChatConsumer

websocket_urlpatterns: list[Any] = [path("ws/chat/", ChatConsumer.as_asgi())]
