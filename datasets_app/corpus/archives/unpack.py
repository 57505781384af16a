"""Archives, opened by a process with limits of its own; names never become paths."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.detection.encoding import clean_name
from datasets_app.corpus.formats.format import Archive
from datasets_app.corpus.limited.run import Call, ChildError, run_limited


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive, or one section of a document.

    `verdict` is `ok` (its bytes are at `path` until the next member is asked for), `skipped` or
    `failed`; `reason` is a code of REASONS, also for an `ok` member with a remark. A section that
    is `ok` has a number above 0 and no path: it is read from the file it stands in.
    """

    number: int
    name: str
    size: int
    verdict: Literal["ok", "skipped", "failed"]
    reason: str
    path: Path | None
    section: int = 0


def unpack(
    path: Path,
    archive: Archive,
    into: Path,
    limits: ArchiveLimits,
    should_stop: Callable[[], bool],
    *,
    name: str = "",
) -> Generator[Member]:
    """Yield the members of an archive in order; `into` is an empty folder and is emptied again.

    A bad member fails alone. A container that cannot be trusted or that passes a limit raises
    ChildError after the members that were verified. `name` names the content of a lone .gz.
    """
    if limits.depth < 1:
        raise ChildError("too_deep", "Archives are opened three levels deep; this lies deeper.")
    call = Call(archive.unpack, (name, archive.packing), limits)
    try:
        for told in run_limited(path, call, should_stop, folder=into):
            yield from _member(told, into)
    finally:
        for left in into.iterdir():
            left.unlink()


def _member(told: dict[str, Any], into: Path) -> Iterator[Member]:
    """Yield one member; its file goes when the caller comes back."""
    number, verdict = int(told["number"]), told["verdict"]
    section = told.get("section", 0)
    path = into / str(number) if verdict == "ok" and not section else None
    name = clean_name(told["name"])
    yield Member(number, name, told["size"], verdict, told["reason"], path, section)
    if path:
        path.unlink(missing_ok=True)
