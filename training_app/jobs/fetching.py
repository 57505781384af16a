"""Fetches a package by this Python's pip, as that is set up; nothing of the package runs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from otto_web.servers.processes import start, tethered
from training_app.lm.bases.errors import BaseError

LOOK_SECONDS = 0.5
_ALIKE = ("WARNING", "[notice]", "DEPRECATION")  # beginnings of lines that are no reason


class NotFetchedError(BaseError):
    """The index could not be reached, or does not have the package."""


def fetch_package(package: str, folder: Path, tell: Callable[[int], None]) -> Path:
    """Download a package into the folder and return its wheel.

    `tell` hears every half second how many bytes are there; what it raises ends the download.
    Raises NotFetchedError with pip's own reason. A package that would have to be built is refused:
    building runs what is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside, log = folder / "tmp", folder / "pip.log"
    beside.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(beside)}
    log.unlink(missing_ok=True)
    command = tethered(_command(package, folder), stop=signal.SIGKILL)
    pip = start(command, log=log, env=environment)
    try:
        while (code := _ended(pip)) is None:
            tell(_bytes_below(folder))
    finally:
        pip.kill()
        pip.wait()
    wheels = list(folder.glob("*.whl"))
    if code or len(wheels) != 1:
        raise NotFetchedError(f"{package} could not be fetched: {_reason(log)}")
    return wheels[0]


def _command(package: str, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
        *("--retries", "2", "--dest", str(folder)),
        *shlex.split(settings.OTTO_PIP_ARGS),
        package,
    ]


def _ended(pip: subprocess.Popen[bytes]) -> int | None:
    try:
        return pip.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _bytes_below(folder: Path) -> int:
    """Count what lies there now; pip moves and deletes meanwhile, folders too."""
    total = 0
    for here, _, names in os.walk(folder):  # passes over a folder that is gone
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(here, name).stat().st_size
    return total


def _reason(log: Path) -> str:
    """Return what pip says last, without its hints about itself."""
    lines = log.read_text("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.startswith(_ALIKE)]
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR")]
    last = (errors or said or ["pip says nothing"])[-1]
    return f"{last[:300].rstrip('.')}."
