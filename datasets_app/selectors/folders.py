"""What lies in the folders of the server that the operator named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import FolderLoad

SHOWN, LOOKED_AT, SHOWN_LOADS = 1_000, 20_000, 10


NOT_THERE = "“{}” is not there, or leads out of the folder."


class FolderError(CorpusError):
    """A path that is not below an allowed folder, or cannot be read."""


def allowed_root(number: int) -> Path:
    """Return one of the folders that the operator named."""
    try:
        return Path(settings.OTTO_SERVER_FOLDERS[number])
    except IndexError:
        raise FolderError("The operator does not name this folder any more.") from None


def place_in(root: Path, name: str) -> Path:
    """Return where a path below a folder leads; raises FolderError where it leads out."""
    if "\0" in name or any(part.startswith(".") for part in Path(name).parts):
        raise FolderError(NOT_THERE.format(name.replace("\0", "")))
    try:
        base = root.resolve(strict=True)
        found = (base / name).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise FolderError(NOT_THERE.format(name or root)) from None
    if not found.is_relative_to(base):
        raise FolderError(NOT_THERE.format(name))
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder; `path` is the one below the allowed folder."""

    name: str
    path: str
    is_folder: bool
    size: int = 0
    changed_at: datetime | None = None


def folder_page(user: User, root: Path | None, number: int, inside: str) -> dict[str, Any]:
    """Return the allowed folders, what lies in one of them, and what was loaded last."""
    entries, is_cut = entries_of(root, inside) if root else ([], False)
    parts = PurePosixPath(inside).parts
    loads = FolderLoad.objects.visible_to(user).order_by("-queued_at")[:SHOWN_LOADS]
    return {
        "folders": list(enumerate(settings.OTTO_SERVER_FOLDERS)),
        "number": number,
        "root": root,
        "inside": inside,
        "above": [(part, "/".join(parts[: n + 1])) for n, part in enumerate(parts)],
        "entries": entries,
        "is_cut": is_cut,
        "loads": loads,
        "is_moving": any(load.is_under_way for load in loads),
    }


def entries_of(root: Path, inside: str) -> tuple[list[Entry], bool]:
    """Return folders and files, by name, without hidden ones and links that lead out."""
    folder = place_in(root, inside)
    found: list[Entry] = []
    try:
        with os.scandir(folder) as listed:
            for count, one in enumerate(listed):
                if count == LOOKED_AT:
                    break
                entry = _entry(root, inside, one.name)
                found += [entry] if entry else []
    except OSError as error:
        raise FolderError(f"This folder cannot be read: {error.strerror}.") from error
    found.sort(key=lambda one: (not one.is_folder, one.name.casefold(), one.name))
    return found[:SHOWN], len(found) > SHOWN


def _entry(root: Path, inside: str, name: str) -> Entry | None:
    path = f"{inside}/{name}" if inside else name
    try:
        name.encode()
        place = place_in(root, path)
        told = place.stat()
    except (FolderError, OSError, UnicodeError):
        return None
    if place.is_dir():
        return Entry(name, path, is_folder=True)
    changed_at = datetime.fromtimestamp(told.st_mtime, UTC)
    file = Entry(name, path, is_folder=False, size=told.st_size, changed_at=changed_at)
    return file if place.is_file() else None
