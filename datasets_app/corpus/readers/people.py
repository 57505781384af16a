"""Names of people that an export lists in a file of its own, beside those that hold their words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from datasets_app.corpus.parsing.exports import people_in

LISTS = ("users.json", "org_users.json")
LARGEST = 32 << 20


@lru_cache(maxsize=4)
def people_of(path: Path) -> Mapping[str, str]:
    """Return the names in a list of people, by their numbers; none where it is no such list."""
    if path.stat().st_size > LARGEST:
        return {}
    try:
        return people_in(json.loads(path.read_bytes()))
    except (ValueError, RecursionError):
        return {}
