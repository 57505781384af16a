"""A watchdog gets an honest answer."""

from __future__ import annotations

import os

import pytest
from django.db.models.functions import Now
from django.test import Client

from otto_web.lib.models import ProcessBeat, ProcessKind


def beat(kind):
    return ProcessBeat.objects.create(
        kind=kind, host="here", pid=os.getpid(), pid_started_at=hash(kind), seen_at=Now()
    )


@pytest.mark.checklist(385)
def test_healthz_answers_without_a_database():
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.checklist(386)
def test_readyz_is_ready_when_everything_is_there(db, redis_server, data_dir, settings):
    settings.OTTO_DISK_RESERVE_BYTES = 1
    for kind in (ProcessKind.SHORT, ProcessKind.TRAIN, ProcessKind.ENGINE):
        beat(kind)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.checklist(386)
def test_readyz_names_what_is_missing(db, redis_server, data_dir, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.OTTO_DISK_RESERVE_BYTES = 1 << 60
    beat(ProcessKind.SHORT)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    reasons = answer.json()["reasons"]
    assert reasons["workers"] == "no worker is running: train, engine"
    assert reasons["redis"].startswith("Redis does not answer")
    assert "GB left" in reasons["disk"]


def test_health_refuses_to_be_written_to():
    assert Client().post("/healthz").status_code == 405
