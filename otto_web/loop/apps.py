"""Registers the app."""

from __future__ import annotations

from django.apps import AppConfig


class LoopConfig(AppConfig):
    name = "otto_web.loop"
    label = "otto_loop"
