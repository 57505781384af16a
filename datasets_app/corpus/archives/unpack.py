"""Archives, opened by a process with limits of its own; names never become paths."""

from __future__ import annotations

import dataclasses
import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_name
from datasets_app.corpus.detection.kind_names import ARCHIVES, Kind

ROOT = Path(__file__).resolve().parents[3]
LOOK_SECONDS = 0.5
LONGEST_LINE = 1 << 16


class ArchiveError(CorpusError):
    """An archive that could not be unpacked to its end.

    `code` is a reason and `at` the byte position; members yielded before it were verified.
    """

    def __init__(self, code: str, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.at = at


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive.

    `verdict` is `ok` (its bytes are at `path` until the next member is asked for), `skipped` or
    `failed`; `reason` is a code of REASONS, also for an `ok` member with a remark.
    """

    number: int
    name: str
    size: int
    verdict: Literal["ok", "skipped", "failed"]
    reason: str
    path: Path | None


def unpack(
    path: Path,
    kind: Kind,
    into: Path,
    limits: ArchiveLimits,
    should_stop: Callable[[], bool],
    *,
    name: str = "",
) -> Generator[Member]:
    """Yield the members of an archive in order; `into` is an empty folder and is emptied again.

    A bad member fails alone. A container that cannot be trusted or that passes a limit raises
    ArchiveError after the members that were verified. `name` names the content of a lone .gz.
    """
    if kind not in ARCHIVES:
        raise CorpusError(f"A file of the kind {kind} is no archive that OTTO opens.")
    if limits.depth < 1:
        raise ArchiveError("too_deep", "Archives are opened three levels deep; this lies deeper.")
    try:
        with _child(path, kind, into, limits, name) as child:
            for line in _lines(child, limits, should_stop):
                yield from _member(line, into)
    finally:
        for left in into.iterdir():
            left.unlink()


@contextmanager
def _child(
    path: Path, kind: Kind, into: Path, limits: ArchiveLimits, name: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the child on the archive; it never outlives the block."""
    given = {"kind": str(kind), "into": str(into), "name": name}
    spec = json.dumps({**given, "limits": dataclasses.asdict(limits)})
    command = [sys.executable, "-S", "-s", "-m", "datasets_app.corpus.archives.child", spec]
    with path.open("rb") as archive:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell, empty environment
            command,
            stdin=archive,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=into,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def _lines(
    child: subprocess.Popen[bytes], limits: ArchiveLimits, should_stop: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Yield the child's lines until it is done; raises ArchiveError when it is not."""
    for line in _raw_lines(child, limits.wall_seconds, should_stop):
        told = json.loads(line)
        if "error" in told:
            raise ArchiveError(told["error"], told["message"], told["at"])
        if "done" in told:
            return
        yield told
    message = "Unpacking was stopped: it used more memory or time than one archive may use."
    raise ArchiveError("stopped", message)


def _raw_lines(
    child: subprocess.Popen[bytes], wall_seconds: int, should_stop: Callable[[], bool]
) -> Iterator[bytes]:
    """Yield whole lines, looking at the clock and the stop flag while the child is silent."""
    if child.stdout is None:
        return
    deadline = time.monotonic() + wall_seconds
    pending = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while True:
            if should_stop():
                raise ArchiveError("cancelled", "Unpacking was stopped by a person.")
            if time.monotonic() > deadline:
                raise ArchiveError("stopped", "Unpacking took longer than 15 minutes.")
            if not waiting.select(LOOK_SECONDS):
                continue
            block = child.stdout.read1(LONGEST_LINE)  # type: ignore[attr-defined]
            if not block:
                return
            *lines, pending = (pending + block).split(b"\n")
            yield from lines


def _member(told: dict[str, Any], into: Path) -> Iterator[Member]:
    """Yield one member; its file goes when the caller comes back."""
    number, verdict = int(told["number"]), told["verdict"]
    path = into / str(number) if verdict == "ok" else None
    yield Member(number, clean_name(told["name"]), told["size"], verdict, told["reason"], path)
    if path:
        path.unlink(missing_ok=True)
