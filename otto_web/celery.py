"""The Celery application: hints for worker-short and worker-train."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otto_web.settings")
app = Celery("otto")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
