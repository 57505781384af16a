"""Which code runs here: the commit of a git checkout, read without git."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_COMMIT = re.compile(r"[0-9a-f]{40}")


@cache
def code_commit(root: Path = _ROOT) -> str:
    """Return the commit of the checkout, 40 hexadecimal digits; empty where it is none."""
    try:
        git = _git_folder(root)
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head if _COMMIT.fullmatch(head) else ""
        return _of_ref(git, head.removeprefix("ref: "))
    except (OSError, UnicodeDecodeError):
        return ""


def _git_folder(root: Path) -> Path:
    """Return the folder of the checkout; of a second worktree a file names it."""
    place = root / ".git"
    if place.is_file():
        return root / place.read_text("utf-8").strip().removeprefix("gitdir: ")
    return place


def _of_ref(git: Path, ref: str) -> str:
    shared = git / "commondir"
    common = git / shared.read_text("utf-8").strip() if shared.is_file() else git
    for folder in (git, common):
        if (folder / ref).is_file():
            found = (folder / ref).read_text("utf-8").strip()
            return found if _COMMIT.fullmatch(found) else ""
    for line in (common / "packed-refs").read_text("utf-8").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref and _COMMIT.fullmatch(commit):
            return commit
    return ""
