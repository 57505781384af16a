"""Reading ids that a person or a page sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def as_uuid(value: Any) -> UUID | None:
    """Return the id that this says, or None where it is none."""
    try:
        return UUID(str(value))
    except ValueError:
        return None
