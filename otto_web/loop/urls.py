"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from otto_web.loop.views import harvest, home, pipelines

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("pipeline/", pipelines.pipeline_new, name="pipeline-new"),
    path("pipeline/defaults/", pipelines.pipeline_defaults, name="pipeline-defaults"),
    path("pipeline/<uuid:pipeline_id>/", pipelines.pipeline_detail, name="pipeline-detail"),
    path("pipeline/<uuid:pipeline_id>/retry/", pipelines.pipeline_retry, name="pipeline-retry"),
    path("deployments/<slug:alias>/next/", home.next_model, name="next-model"),
    path("logs/add/", harvest.log_harvest, name="log-harvest"),
]
