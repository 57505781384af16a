"""The trainer as its supervisor holds it: a process, and a pipe of JSON lines to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from otto_web.lib.cores import usable_cores
from training_app.lm.config import RunSpec, TrainingError
from training_app.models import Run, paths
from training_app.services.attempts import Claim

_THREAD_VARIABLES = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "MKL", "OPENBLAS", "RAYON"))


class Trainer:
    """One `execute_run` process in a group of its own; start it from the main thread.

    The parent-death signal follows the thread that starts it.
    """

    def __init__(self, claim: Claim) -> None:
        folder = paths.attempt_folder(claim.run_id, claim.fence)
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            str(Path(settings.BASE_DIR) / "manage.py"),
            "execute_run",
            str(claim.run_id),
            "--fence",
            str(claim.fence),
            "--parent",
            str(os.getpid()),
        ]
        with (folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                bufsize=0,
                process_group=0,
                env=os.environ | environment(claim),
            )
        assert self.process.stdin is not None  # noqa: S101 - asked for above
        self._pipe = self.process.stdin.fileno()
        os.set_blocking(self._pipe, False)

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, or None when the trainer still runs after these seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line; a trainer that is gone, or stopped with a full pipe, misses it."""
        try:
            os.write(self._pipe, json.dumps(message).encode() + b"\n")
        except (BrokenPipeError, BlockingIOError):
            return

    def signal(self, number: signal.Signals) -> None:
        """Signal the trainer's whole group, children of a compilation included."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def end(self, seconds: float) -> int:
        """Wait so long for the end, then make one."""
        code = self.wait(seconds)
        if code is None:
            self.signal(signal.SIGKILL)
            code = self.process.wait()
        self.close()
        return code

    def close(self) -> None:
        """Close the pipe; a trainer that still runs takes that as its supervisor's death."""
        if self.process.stdin is not None:
            self.process.stdin.close()


def environment(claim: Claim) -> dict[str, str]:
    """Return what the trainer's environment adds: no network, pinned threads, kept compilations."""
    threads = str(_threads(claim))
    return {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads starve the chat and the pages beside
        "TORCHINDUCTOR_CACHE_DIR": str(settings.OTTO_CACHE_DIR / "inductor"),
        **dict.fromkeys(_THREAD_VARIABLES, threads),
    }


def _threads(claim: Claim) -> int:
    """Return the thread count: as decided before, as told, or every usable core."""
    run = Run.objects.get(pk=claim.run_id)
    told = run.decided.get("threads")
    if told is None:
        try:
            told = RunSpec.from_json(run.spec).train.threads
        except TrainingError:  # the trainer refuses it with a sentence
            told = 0
    return int(told or usable_cores())
