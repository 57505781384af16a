"""Choices that a run offers: what a form says about each, and the function behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a registry; its function is imported when it is used, never by a form."""

    label: str
    sentence: str
    place: str  # module:function

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        function: Callable[..., Any] = resolve_name(self.place)
        return function
