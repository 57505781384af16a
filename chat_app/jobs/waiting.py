"""What a command does where no worker runs: the worker's part, or a wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from chat_app.jobs.engine import Engine
from chat_app.selectors.chats import has_engine
from chat_app.serving.errors import ServingError
from otto_web.lib.work.states import State

LOOK_SECONDS = 0.3


def settle(row: Any, work: Callable[[Any], None], *, has_workers: bool) -> None:
    """Return when the work of the row has succeeded; do it here where no worker would.

    Raises ServingError with the reason where it failed.
    """
    while True:
        if not has_workers:
            work(row.pk)  # again and again: a full disk makes it wait
        row.refresh_from_db()
        if row.state == State.SUCCEEDED:
            return
        if row.state == State.FAILED:
            raise ServingError(row.message)
        time.sleep(LOOK_SECONDS)


@contextmanager
def engine_at_hand() -> Iterator[None]:
    """Have an engine for as long as the block lasts: one that runs, else one in this process."""
    with nullcontext() if has_engine() else engine_here():
        yield


@contextmanager
def engine_here() -> Iterator[None]:
    """Answer chats in threads of this process."""
    engine = Engine(models=1)
    thread = threading.Thread(target=engine.run, name="engine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        engine.close()
        thread.join()
