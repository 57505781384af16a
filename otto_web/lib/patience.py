"""How long each kind of process waits for the database, and the database for it.

A process that is stopped, or whose host is gone, in the middle of a transaction keeps the rows
that it has locked until PostgreSQL ends its session. So every session says how long it may be
silent in a transaction, how long it waits for somebody else's lock, how long one statement may
take, and how soon either side asks whether the other is still there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connections

log = logging.getLogger(__name__)
Item = TypeVar("Item")
# What Django raises when a session has ended or a wait is over. A session that was silent for too
# long is told so by an error that Django calls internal.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_SECONDS, KEEPALIVES = 10, 5, 3
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds; 0 waits for ever."""

    lock: float  # for somebody else's row
    statement: float

    def options(self, silence: float) -> dict[str, Any]:
        """Return the connection's options; `silence` in a transaction ends the session."""
        gone = KEEPALIVE_IDLE_SECONDS + KEEPALIVES * KEEPALIVE_SECONDS
        waits = {
            "lock_timeout": _milliseconds(self.lock),
            "statement_timeout": _milliseconds(self.statement),
            "idle_in_transaction_session_timeout": _milliseconds(silence),
            "tcp_keepalives_idle": KEEPALIVE_IDLE_SECONDS,
            "tcp_keepalives_interval": KEEPALIVE_SECONDS,
            "tcp_keepalives_count": KEEPALIVES,
            "tcp_user_timeout": gone * 1000,
        }
        return {
            "options": " ".join(f"-c {name}={value}" for name, value in waits.items()),
            "connect_timeout": CONNECT_SECONDS,
            "keepalives": 1,
            "keepalives_idle": KEEPALIVE_IDLE_SECONDS,
            "keepalives_interval": KEEPALIVE_SECONDS,
            "keepalives_count": KEEPALIVES,
            "tcp_user_timeout": gone * 1000,
        }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


WEB = Patience(lock=15, statement=60)  # somebody waits for the page
WORKER = Patience(lock=300, statement=3600)  # one statement may write a version of a million rows
TRAINER = ENGINE = Patience(lock=30, statement=60)
REAPER = Patience(lock=2, statement=60)  # what is locked now is looked at again in some seconds
COMMAND = Patience(lock=300, statement=3600)
COMMAND_SILENCE_SECONDS = 600.0  # a person may have stopped it on purpose


def wait_for_ever(using: str, **_: Any) -> None:
    """Let a migration take the time that it needs; the caller is the signal before it."""
    with connections[using].cursor() as cursor:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {name} = 0")


@contextmanager
def kept_open() -> Iterator[None]:
    """Speak in the open transaction now and then while this process computes and writes nothing.

    A process that was stopped does not speak, and loses its transaction and the rows it holds.
    """
    session = connections["default"].connection
    over = threading.Event()

    def speak() -> None:
        try:
            while not over.wait(settings.OTTO_SILENCE_SECONDS / 4):
                session.execute("SELECT 1")
        except psycopg.Error as error:  # whoever computes finds out at the next statement
            log.warning("a transaction could not be kept open: %s", error)

    thread = threading.Thread(target=speak, name="kept open", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def each_by_itself(items: Iterable[Item], act: Callable[[Item], object]) -> None:
    """Act on each item; one that somebody holds locked, or that fails, holds up no other.

    This is for what is looked at again and again. A fault of ours is logged with its traceback.
    """
    for item in items:
        name = getattr(item, "__qualname__", item)
        try:
            act(item)
        except DATABASE_AWAY as error:
            log.warning("%s is left for the next look: %s", name, error)
            connections["default"].close_if_unusable_or_obsolete()
        except Exception:
            log.exception("%s failed and is left for the next look", name)


def be_patient(patience: Patience) -> None:
    """Let every connection that this process opens from now on wait in this way."""
    found = settings.DATABASES["default"].setdefault("OPTIONS", {})
    found.update(patience.options(settings.OTTO_SILENCE_SECONDS))
    connections["default"].close()
