"""With Redis away pages work, orders are kept, and the page says what is delayed."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse
from kombu import pools

from datasets_app.models import Version
from otto_web.celery import app as celery_app
from otto_web.lib import delays
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_redis(redis_server, monkeypatch):
    """Point the broker at a port where nobody listens, without the pool of the address before."""
    monkeypatch.setattr(delays, "_failed_at", float("-inf"))
    before = celery_app.conf.broker_url
    _use_broker("redis://127.0.0.1:9/0")
    yield
    _use_broker(before)


def _use_broker(url):
    celery_app.conf.update(broker_url=url)
    pools.reset()
    celery_app._pool = None
    celery_app.__dict__.pop("amqp", None)


def test_an_order_without_redis_is_kept_quickly_and_the_page_says_so(no_redis, cora, client_of):
    client = client_of(cora)
    address = reverse("version-list", args=[support_dataset(cora).pk])
    began = time.monotonic()
    answer = client.post(address, {"choice": "kept"})
    assert time.monotonic() - began < 3
    assert answer.status_code == 302
    assert Version.objects.get().state == "queued"
    assert "does not answer" in client.get(answer["Location"]).content.decode()


def test_a_page_says_nothing_while_all_is_well(redis_server, cora, client_of, monkeypatch):
    monkeypatch.setattr(delays, "_failed_at", float("-inf"))
    assert "does not answer" not in client_of(cora).get("/").content.decode()
