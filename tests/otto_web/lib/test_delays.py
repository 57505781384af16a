"""With Redis away pages work, orders are kept, and the page says what is delayed."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from kombu import pools

from datasets_app.models import Version
from otto_web.celery import app as celery_app
from otto_web.lib.work.sweep import look_after
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_redis(redis_server):
    """Point the broker at a port where nobody listens, without the pool of the address before."""
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


@pytest.fixture
def hanging_redis(no_redis):
    """Let connections to the broker come about and nobody answer; gives what counts them."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        _use_broker(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        server.setblocking(False)

        def count():
            found = 0
            with suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()
                    found += 1
            return found

        yield count


@pytest.mark.slow
def test_a_redis_that_hangs_holds_the_reaper_up_for_one_hint_of_a_kind(hanging_redis, cora):
    dataset = support_dataset(cora)
    Version.objects.bulk_create(
        Version(dataset=dataset, number=n, name=f"v{n}", policy_sha256="", split_seed=1, shares={})
        for n in range(6)
    )
    look_after(Version, timezone.now() + timedelta(hours=1))
    assert 1 <= hanging_redis() <= 3  # one hint, and its second try


@pytest.mark.slow
def test_a_page_says_nothing_while_all_is_well(redis_server, cora, client_of):
    assert "does not answer" not in client_of(cora).get("/").content.decode()
