"""The trainer: trains one claimed run as the child of a worker, and exits with how it ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from otto_web.lib.patience import TRAINER, be_patient
from training_app.jobs.exits import Exit

_PR_SET_PDEATHSIG = 1
NICENESS = 10


class Command(BaseCommand):
    """Started by worker-train, never by hand."""

    help = "Train a claimed run (started by worker-train)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=UUID)
        parser.add_argument("--fence", type=int, required=True)
        parser.add_argument("--parent", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the attempt with low priority; die with the worker that started it."""
        be_patient(TRAINER)
        _die_with(options["parent"])
        os.nice(NICENESS)
        from training_app.jobs.trainer.execute import execute_run  # noqa: PLC0415 - torch, only here

        sys.exit(execute_run(options["run"], options["fence"], sys.stdin.fileno()))


def _die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death; leave at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(Exit.CRASH)
