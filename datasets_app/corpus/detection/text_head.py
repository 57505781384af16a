"""The beginning of a text, as the formats look at it to tell what it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from datasets_app.corpus.parsing import tables

LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class TextHead:
    """The first characters of a text, or all of it when `is_whole`; formats share what they find.

    The name decides only between formats that look alike.
    """

    text: str
    name: str
    is_whole: bool

    @property
    def ending(self) -> str:
        return PurePosixPath(self.name).suffix.lstrip(".").casefold()

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines that are not blank; one that is cut off is left out."""
        lines = [line for line in LINE_END.split(self.text) if line.strip()]
        if not self.is_whole and len(lines) > 1:
            lines.pop()
        return lines

    @cached_property
    def layout(self) -> tables.Layout:
        """Return how it would be divided as a table."""
        return tables.guess_layout(self.text)

    @cached_property
    def is_json(self) -> bool:
        """Say whether the whole text is one JSON object or list."""
        return self.is_whole and self.text.lstrip()[:1] in {"{", "["} and parses(self.text)


def parses(text: str) -> bool:
    """Say whether a text is one JSON object or list."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
