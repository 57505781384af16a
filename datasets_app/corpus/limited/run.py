"""Runs a function on a file nobody trusts, in a process with limits of its own."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.limited.child import OWN_FAULT, OWN_FAULT_MESSAGE

ROOT = Path(__file__).resolve().parents[3]
LOOK_SECONDS = 0.5
BLOCK = 1 << 16
LONGEST_LINE = 128 << 20
MODULE = "datasets_app.corpus.limited.child"
BY_LIMITS = frozenset({-signal.SIGKILL, -signal.SIGXCPU})
END_SECONDS = 5.0
LONGEST_COMPLAINT = 1 << 13
log = logging.getLogger(__name__)


class ChildError(CorpusError):
    """A file that could not be read to its end; what was told before it holds.

    `code` is a reason and `at` the byte position, where one is known.
    """

    def __init__(self, code: str, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.at = at


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function `(file, out, *arguments)` of a module, what it is given, and what it may cost."""

    function: Callable[..., None]
    arguments: tuple[Any, ...]
    limits: ArchiveLimits

    @property
    def spec(self) -> str:
        named = f"{self.function.__module__}:{self.function.__qualname__}"
        limits = dataclasses.asdict(self.limits)
        return json.dumps({"function": named, "arguments": self.arguments, "limits": limits})


def run_limited(
    path: Path, call: Call, should_stop: Callable[[], bool], *, folder: Path = Path("/")
) -> Generator[Any]:
    """Yield what the function tells, a value each; `folder` is where it may write.

    Raises ChildError when it is stopped: by a limit, by itself, by a crash, or by `should_stop`.
    """
    with TemporaryFile() as complaints, _child(path, call, folder, complaints) as child:
        for line in _lines(child, call.limits.wall_seconds, should_stop):
            told = json.loads(line)
            if isinstance(told, dict) and "error" in told:
                _log(child, call, complaints)
                raise ChildError(told["error"], told["message"], told["at"])
            if isinstance(told, dict) and "done" in told:
                return
            yield told
        raise _ended(child, call, complaints)


def _ended(child: subprocess.Popen[bytes], call: Call, complaints: BinaryIO) -> ChildError:
    """Say why a child ended without a word: only its limits are the fault of the file."""
    said = _log(child, call, complaints)
    if child.returncode in BY_LIMITS or "MemoryError" in said:
        message = "Reading was stopped: it needed more memory or time than one file may use."
        return ChildError("stopped", message)
    return ChildError(OWN_FAULT, OWN_FAULT_MESSAGE)


def _log(child: subprocess.Popen[bytes], call: Call, complaints: BinaryIO) -> str:
    """Log how a child ended and the last it said, and return that."""
    with suppress(subprocess.TimeoutExpired):  # its last word is out, so it is about to end
        child.wait(END_SECONDS)
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - LONGEST_COMPLAINT))
    said = complaints.read().decode("utf-8", "replace").strip()
    if said or child.returncode not in {0, 1}:
        name = call.function.__qualname__
        log.warning("the child for %s ended with %s: %s", name, child.returncode, said)
    return said


@contextmanager
def _child(
    path: Path, call: Call, folder: Path, complaints: BinaryIO
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the child on the file; it never outlives the block."""
    command = [sys.executable, "-P", "-S", "-s", "-m", MODULE, call.spec]
    libraries = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    places = ":".join(dict.fromkeys((str(ROOT), *libraries)))
    with path.open("rb") as file:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell, empty environment
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=folder,
            env={"PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def _lines(
    child: subprocess.Popen[bytes], wall_seconds: int, should_stop: Callable[[], bool]
) -> Iterator[bytes]:
    """Yield whole lines, looking at the clock and the stop flag while the child is silent.

    The clock counts only while the child is waited for.
    """
    if child.stdout is None:
        return
    waited = 0.0
    pending = bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while True:
            if should_stop():
                raise ChildError("cancelled", "Reading was stopped by a person.")
            if waited > wall_seconds or len(pending) > LONGEST_LINE:
                raise ChildError("stopped", "Reading took longer than one file may take.")
            asked_at = time.monotonic()
            is_ready = waiting.select(LOOK_SECONDS)
            waited += time.monotonic() - asked_at
            if not is_ready:
                continue
            block = child.stdout.read1(BLOCK)  # type: ignore[attr-defined]
            if not block:
                return
            searched = len(pending)
            pending += block
            if (end := pending.rfind(b"\n", searched)) >= 0:
                yield from bytes(pending[:end]).split(b"\n")
                del pending[: end + 1]
