"""Names of archive members: text to look at, checked, and never a path."""

from __future__ import annotations

import re

LONGEST_NAME = 1024
MOST_PARTS = 32
DRIVE = re.compile(r"[A-Za-z]:")
JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".git"})
JUNK_STARTS = ("._", "~$")


def decode_name(raw: bytes) -> str:
    """Return a name as text: UTF-8, else the old DOS code page."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437", "replace")


def name_fault(name: str, size: int) -> str:
    """Return the reason why a name is not loaded, or ""."""
    parts = re.split(r"[/\\]", name)
    if not name or "\0" in name or name[0] in "/\\" or DRIVE.match(name) or ".." in parts:
        return "blocked_name"
    if all(part in {"", "."} for part in parts):
        return "blocked_name"
    if size > LONGEST_NAME or len(parts) > MOST_PARTS:
        return "bad_name"
    if any(part.casefold() in JUNK_NAMES for part in parts) or parts[-1].startswith(JUNK_STARTS):
        return "junk"
    return ""
