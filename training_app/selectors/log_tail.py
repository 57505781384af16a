"""The last lines of a run's log, read from the end of its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from otto_web.lib.words import figure
from training_app.models import paths
from training_app.models.paths import log_files
from training_app.selectors.log_reader import LogReader

_USUAL = {"ts", "level", "event", "run", "step", "loss"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log in words."""

    ts: str
    level: str
    event: str
    step: int | None
    loss: float | None
    text: str


def log_tail(run_id: UUID, count: int = 40) -> list[LogLine]:
    """Return the newest lines, newest last; a line that is half written is left out."""
    return [line for text in last_lines(run_id, count) if (line := _parsed(text))]


def last_lines(run_id: UUID, count: int) -> list[bytes]:
    """Return the newest whole lines of all attempts, as they were written, newest last."""
    return list(islice(LogReader(run_id).newest(), count))[::-1]


def _parsed(text: bytes) -> LogLine | None:
    try:
        values = json.loads(text)
    except ValueError:
        return None
    more = [
        f"{key.replace('_', ' ')} {figure(value)}"
        for key, value in values.items()
        if key not in _USUAL
    ]
    return LogLine(
        ts=str(values["ts"])[11:19],
        level=str(values["level"]),
        event=str(values["event"]),
        step=values["step"],
        loss=values["loss"],
        text=", ".join(more),
    )


def log_blocks(run_id: UUID) -> Iterator[bytes]:
    """Yield the whole log of all attempts, block by block."""
    for path in log_files(paths.run_folder(run_id)):
        yield from blocks_of(path)


def blocks_of(path: Path) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb") as file:
        while block := file.read(1 << 16):
            yield block
