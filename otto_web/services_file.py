"""How the parts of one installation find each other: var/run/services.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

OLDEST_POSTGRES = 16  # which changes a row in place although an index of summaries names it


def read_services(folder: Path) -> dict[str, Any]:
    """Return what `up` wrote about its servers, or nothing when no servers were started."""
    try:
        services: dict[str, Any] = json.loads((folder / "services.json").read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return services


def database_from_url(url: str) -> dict[str, Any]:
    """Return Django's database entry for a postgres:// address."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgres://; OTTO needs PostgreSQL "
            f"{OLDEST_POSTGRES} or newer."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "otto",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": str(parts.port or 5432),
        "OPTIONS": {},
    }


def redis_database(url: str, number: int) -> str:
    """Return the address of one numbered database of the Redis server."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{number}", parts.query, ""))
