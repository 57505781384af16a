"""The Celery application: each job of the registry is a task of the same name."""

from __future__ import annotations

import os

from celery import Celery

from otto_web.jobs import JOBS, Job

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otto_web.settings")
app = Celery("otto")
app.config_from_object("django.conf:settings", namespace="CELERY")
EXPIRES_SECONDS = 60.0  # of a hint that no worker heard: the reaper hints anew
app.conf.task_routes = {name: {"queue": job.queue} for name, job in JOBS.items()}


def _register(name: str, job: Job) -> None:
    def run(pk: str) -> None:
        job.load()(pk)

    app.task(run, name=name, expires=EXPIRES_SECONDS)


for _name, _job in JOBS.items():
    _register(_name, _job)
