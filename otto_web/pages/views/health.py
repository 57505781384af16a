"""Tells a watchdog whether the web process lives, and whether everything behind it does."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from otto_web.lib.access import declares
from otto_web.lib.disk import is_read_only
from otto_web.lib.models import ProcessBeat, ProcessKind

NEEDED = (ProcessKind.SHORT, ProcessKind.TRAIN, ProcessKind.ENGINE)


@declares("public")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer at once and touch nothing: the process lives."""
    return JsonResponse({"status": "ok"})


@declares("public")
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when everything that people need is there, else 503 with the reasons."""
    reasons = {name: reason for name, check in CHECKS.items() if (reason := check())}
    if reasons:
        return JsonResponse({"status": "degraded", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})


def _without_workers() -> str:
    """Ask the database for fresh beats: one query shows both that it answers and who works."""
    try:
        working = set(ProcessBeat.objects.alive().values_list("kind", flat=True))
    except DatabaseError:
        return "the database does not answer"
    missing = [kind.value for kind in NEEDED if kind not in working]
    return f"no worker is running: {', '.join(missing)}" if missing else ""


def _without_redis() -> str:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.8, socket_timeout=0.8
        ) as client:
            client.ping()
    except redis.RedisError:
        return "Redis does not answer: work starts late and pages follow it by asking"
    return ""


def _without_disk() -> str:
    folder = settings.OTTO_DATA_DIR
    folder = folder if folder.exists() else settings.BASE_DIR
    if is_read_only(folder):
        return "the disk of the data folder is read-only"
    free = shutil.disk_usage(folder).free
    if free >= settings.OTTO_DISK_RESERVE_BYTES:
        return ""
    return f"the disk of the data folder has only {free / 1e9:.1f} GB left"


CHECKS: dict[str, Callable[[], str]] = {
    "workers": _without_workers,
    "redis": _without_redis,
    "disk": _without_disk,
}
