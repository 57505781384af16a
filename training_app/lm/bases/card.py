"""What a model's card says of its licence and languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_HEAD_CHARACTERS = 4096


def said_by_card(folder: Path) -> dict[str, Any]:
    """Return licence and languages as the head of README.md names them, as far as it does."""
    path = folder / "README.md"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.read(_HEAD_CHARACTERS)
    said: dict[str, Any] = {}
    if licence := re.search(r"^license: *(\S.*)$", head, re.MULTILINE):
        said["licence"] = licence[1].strip()[:200]
    if listed := re.search(r"^language:((?: *\n- .+|.+)+)", head, re.MULTILINE):
        said["languages"] = re.findall(r"\b[a-z]{2,3}\b", listed[1])[:50]
    return said
