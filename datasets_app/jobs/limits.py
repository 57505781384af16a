"""Time limits of reading: one for each step, one for a file as a whole, and an end on request.

Python looks for signals between its instructions and inside its regular expressions, so a timer
of the process can end work that never comes back by itself. Processor time is counted, not the
clock: a busy machine ends no file.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from django.conf import settings

from datasets_app.corpus.conversation import CorpusError

LOOK_SECONDS = 0.5
FILE_SHARE_BYTES = 100 << 20


class TimeUpError(CorpusError):
    """A file took more time than one file may take."""


@dataclass(slots=True)
class Stopwatch:
    """Ends work that takes too long; `look` is called twice a second and may raise, too.

    Only the main thread of a process can be interrupted; elsewhere the limits are looked at
    between the steps.
    """

    look: Callable[[], None]
    _file_end: float = field(default=float("inf"))
    _step_end: float = field(default=float("inf"))
    _previous: Any = field(default=None)
    _is_armed: bool = field(default=False)

    def begin_file(self, size: int) -> None:
        """Count from here on; a large file may take longer, in proportion."""
        shares = 1 + size // FILE_SHARE_BYTES
        self._file_end = time.thread_time() + settings.OTTO_FILE_SECONDS * shares

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run one step of pure work: no statement, no file is ever interrupted half way."""
        self._step_end = time.thread_time() + settings.OTTO_FILE_STEP_SECONDS
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            self._previous = signal.signal(signal.SIGALRM, self._on_alarm)
            self._is_armed = True
            signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
        try:
            yield
        finally:
            self._disarm()
        if not is_main:
            self._check()

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if not self._is_armed:
            return
        try:
            self._check()
        except BaseException:
            self._disarm()
            raise

    def _check(self) -> None:
        self.look()
        if time.thread_time() > min(self._step_end, self._file_end):
            raise TimeUpError("Reading this file took longer than one file may take.")

    def _disarm(self) -> None:
        if self._is_armed:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)
