"""What a Celery worker does besides its tasks: it reports itself, and it ends in bounded time.

Only workers import this module (CELERY_IMPORTS).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

from celery import signals
from celery.worker import state
from django.conf import settings

from otto_web.jobs import AT_START
from otto_web.lib.beat import Beat
from otto_web.lib.models import ProcessKind
from otto_web.lib.patience import WORKER, be_patient
from otto_web.servers.tether import tie_to_parent
from otto_web.worker_watch import Watch

EXIT_DRAINED = 75
IDLE_SECONDS, LOOK_SECONDS = 5.0, 0.5
BROKER_SECONDS = 10.0  # a worker waits for messages, so it is patient with a slow Redis


class Worker:
    """The main process of one Celery worker.

    Celery's SIGTERM waits for running tasks without end, and its soft shutdown always sleeps its
    whole time; so here SIGTERM marks the worker's row, jobs read that mark and finish early, and
    what has not finished when the time is over is ended.
    """

    def __init__(self, kind: ProcessKind) -> None:
        self.beat = Beat(kind, on_drain=self.leave, doing=_doing)
        self.watch = Watch(self.leave)
        self._leaving = False

    def leave(self) -> None:
        """Begin to end because the worker's row says so, or because it is of no use any more."""
        self.shut_down()
        os.kill(os.getpid(), signal.SIGTERM)

    def shut_down(self, **_: Any) -> None:
        """Mark the row, and see to it that the process ends in time."""
        if self._leaving:
            return
        self._leaving = True
        self.watch.stop()
        self.beat.ask_to_drain()
        threading.Thread(target=self._see_to_the_end, name="end", daemon=True).start()

    def _see_to_the_end(self) -> None:
        """End what Celery does not end by itself: long tasks, and a worker that lost its Redis."""
        began = idle_since = time.monotonic()
        is_cold = False
        while time.monotonic() - idle_since < IDLE_SECONDS:
            time.sleep(LOOK_SECONDS)
            waited = time.monotonic() - began
            if waited > settings.OTTO_DRAIN_SECONDS + IDLE_SECONDS:
                break
            if waited > settings.OTTO_DRAIN_SECONDS and not is_cold:
                is_cold = True
                os.kill(os.getpid(), signal.SIGQUIT)
            if state.active_requests:
                idle_since = time.monotonic()
        self.beat.stop()
        os._exit(EXIT_DRAINED)

    def gone(self, **_: Any) -> None:
        self.beat.stop()


_main_pid = 0  # a pool child is forked with its worker's number


def _doing() -> str:
    """Name the tasks that run now."""
    return ", ".join(sorted({request.name.rpartition(".")[2] for request in state.active_requests}))


@signals.worker_init.connect(weak=False)
def _start_beating(sender: Any, **_: Any) -> None:
    global _main_pid  # noqa: PLW0603 - one worker is one process
    _main_pid = os.getpid()
    be_patient(WORKER)  # before the pool is forked
    sender.app.conf.broker_transport_options["socket_timeout"] = BROKER_SECONDS
    queues = sender.app.amqp.queues.consume_from
    worker = Worker(ProcessKind.TRAIN if "train" in queues else ProcessKind.SHORT)
    signals.worker_ready.connect(worker.watch.attach, weak=False)
    signals.worker_shutting_down.connect(worker.shut_down, weak=False)
    signals.worker_shutdown.connect(worker.gone, weak=False)
    worker.beat.start()


def drop_inherited_connections() -> None:
    """Let go of the worker's connections, of which a child that is forked later has copies.

    A connection that the worker closes would live on in the copy, and so would its entry in the
    worker's epoll set: nobody can take that out, and the worker spins once the other side hangs up.
    The numbers stay taken, because objects in this process will close them.
    """
    if sys.platform != "linux":
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):  # closed since: it was the listing's own
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as found:
                    if found.family in {socket.AF_INET, socket.AF_INET6}:
                        os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


@signals.worker_process_init.connect(weak=False)
def _tie_child(**_: Any) -> None:
    """Let a pool child end with its worker, also when the worker was killed."""
    drop_inherited_connections()
    tie_to_parent(signal.SIGTERM)
    if _main_pid not in {0, os.getppid()}:
        os._exit(EXIT_DRAINED)


@signals.worker_process_init.connect(weak=False)
def _begin_child(**_: Any) -> None:
    for job in AT_START:
        job.load()()
