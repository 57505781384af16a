"""Every address of the installation."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from otto_web.pages.views import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("otto_web.pages.urls")),
    path("", include("datasets_app.urls")),
    path("", include("training_app.urls")),
    path("", include("chat_app.urls")),
    path("", include("otto_web.loop.urls")),
    re_path("^api/v1(?:/.*)?$", api.nothing_here, name="own-api-nothing"),  # after all others
]

handler500 = "otto_web.pages.views.errors.server_error"
