"""Where a run's log lies: a rotating logs.jsonl in the folder of each attempt."""

from __future__ import annotations

from pathlib import Path

LOG_NAME = "logs.jsonl"


def log_files(run_folder: Path) -> list[Path]:
    """Return the log's pieces of all attempts, oldest first."""
    folders = sorted(run_folder.glob("f*"), key=_fence)
    return [
        path
        for folder in folders
        for path in sorted(folder.glob(f"{LOG_NAME}*"), key=lambda path: path.name, reverse=True)
    ]


def _fence(folder: Path) -> int:
    number = folder.name.removeprefix("f")
    return int(number) if number.isdigit() else 0
