"""Servers that are started later are used from then on, whatever was used before."""

from __future__ import annotations

import socket

import pytest
from django.conf import settings as live_settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import Redis

from otto_web.celery import app
from otto_web.lib.hints import hint
from otto_web.servers.wiring import use_broker, use_redis


@pytest.fixture
def nobody():
    """An address where nobody listens, because it is bound and no more."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{bound.getsockname()[1]}"


def test_hints_reach_the_redis_that_was_started_after_the_first_of_them(
    redis_server, nobody, transactional_db
):
    try:
        use_broker(f"{nobody}/0")
        with pytest.raises(OperationalError):
            app.tasks["datasets.import_upload"].delay("1234567")
    finally:
        use_redis(redis_server)
    with transaction.atomic():
        hint("datasets.import_upload", 1_234_567)
    with Redis.from_url(live_settings.CELERY_BROKER_URL) as broker:
        assert broker.llen("otto:short") == 1
