"""Points a running Django at servers that were started after its settings were read."""

from __future__ import annotations

from typing import Any

from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from kombu import pools

from otto_web.celery import app
from otto_web.services_file import database_from_url, redis_database


def use_database(url: str) -> None:
    """Make every new connection go to the database of `url`."""
    settings.DATABASE_URL = url
    connections.close_all()
    parts = database_from_url(url)
    del parts["OPTIONS"]
    settings.DATABASES["default"].update(parts)


def use_redis(url: str) -> None:
    """Make hints, notifications and streams go to the Redis of `url`."""
    settings.REDIS_URL = url
    settings.OTTO_STREAMS_URL = redis_database(url, 2)
    settings.CELERY_BROKER_URL = redis_database(url, 0)
    use_broker(settings.CELERY_BROKER_URL)
    layer: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
    layer["CONFIG"]["hosts"][0]["address"] = redis_database(url, 1)
    channel_layers.backends.clear()


def use_broker(url: str) -> None:
    """Make hints go to the broker of `url`, also after some went elsewhere.

    Celery asks its settings once and keeps connections and producers of that address.
    """
    app.conf.update(broker_url=url)
    pools.reset()  # type: ignore[no-untyped-call]
    app._pool = None  # noqa: SLF001 - there is no public way to forget it
    app.__dict__.pop("amqp", None)
