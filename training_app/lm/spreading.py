"""Some of many, evenly spread: the same choice for windows, questions and replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many of the items, evenly spread, in their order."""
    count = min(most, len(items))
    return [items[index * len(items) // count] for index in range(count)]
