"""Where a run, its log and its model lie in the data folder."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings

RUNS, MODELS, EXPORTS, PREPARED = "runs", "models", "exports", "prepared"
TOKENIZERS = "tokenizers"
WORK = "work"  # what is on its way; sweeps clear it, backups leave it out
LOG_NAME = "logs.jsonl"  # a rotating file in the folder of each attempt


def absolute(path: str | Path) -> Path:
    """Return the place of a path that a row names."""
    return Path(settings.OTTO_DATA_DIR) / path


def run_folder(run_id: UUID) -> Path:
    return absolute(f"{RUNS}/{run_id}")


def attempt_folder(run_id: UUID, fence: int) -> Path:
    """Return the folder that only the attempt with this fence writes to."""
    return run_folder(run_id) / f"f{fence}"


def relative(path: Path) -> str:
    """Return a path as rows keep it."""
    return path.relative_to(settings.OTTO_DATA_DIR).as_posix()


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
