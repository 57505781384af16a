"""Addresses of the frame: home, people, status."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
