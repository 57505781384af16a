"""Who sits at an open socket: read anew from session and rows, and told when that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from redis.exceptions import RedisError

from otto_web.lib import live

SIGNED_OUT, FORBIDDEN = 4401, 4403
JOIN_SECONDS = 2.0  # without notifications a socket looks every few seconds


def person_of(scope: Any) -> User | None:
    """Return whose socket this is at this moment; None once they are signed out or deactivated."""
    session = SessionStore(scope["session"].session_key)
    user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    return user if isinstance(user, User) else None


def notify_person(pk: int) -> None:
    """Let a person's open sockets ask at once, after the commit, whether they may stay open."""
    transaction.on_commit(partial(live.notify, _group(pk), "person_changed"))


async def hear_of_person(consumer: Any, pk: int) -> None:
    """Call `consumer.person_changed` at each notification for this person; ask again for more.

    Membership lives only in Redis, which may be away, hang or be wiped.
    """
    await join(consumer, _group(pk))


async def leave_person(consumer: Any, pk: int) -> None:
    await leave(consumer, _group(pk))


async def join(consumer: Any, group: str) -> None:
    """Hear the notifications of a group, if Redis answers soon; ask again for more."""
    await _soon(consumer.channel_layer.group_add(group, consumer.channel_name))


async def leave(consumer: Any, group: str) -> None:
    await _soon(consumer.channel_layer.group_discard(group, consumer.channel_name))


async def _soon(action: Awaitable[None]) -> None:
    with suppress(RedisError, OSError):
        async with asyncio.timeout(JOIN_SECONDS):  # its TimeoutError is an OSError
            await action


def _group(pk: int) -> str:
    return f"person.{pk}"
