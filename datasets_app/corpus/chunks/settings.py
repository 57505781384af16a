"""How documents are cut: where, how long, and how much of the last chunk the next one repeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from datasets_app.corpus.conversation import CorpusError

RECURSIVE, CHARACTER, MARKDOWN, HEADINGS = "recursive", "character", "markdown", "headings"
STRATEGIES: dict[str, str] = {
    RECURSIVE: "At paragraphs, else lines, sentences, words",
    CHARACTER: "Every so many characters, wherever that is",
    MARKDOWN: "At the parts of Markdown: headings, lists, code",
    HEADINGS: "At headings; a long section is cut further",
}
EARLIER_NAMES = {"html": HEADINGS}
CHARACTERS, TOKENS = "characters", "tokens"
UNITS: dict[str, str] = {CHARACTERS: "characters", TOKENS: "tokens"}
SIZE, OVERLAP = 1000, 200
SHORTEST, LONGEST = 20, 50_000


class ChunkError(CorpusError):
    """Settings that cannot be, or chunks that cannot be read."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to cut: `size` and `overlap` in units of `unit`.

    `tokenizer` names whose tokens count. Raises ChunkError for what cannot be.
    """

    strategy: str = RECURSIVE
    size: int = SIZE
    unit: str = CHARACTERS
    overlap: int = OVERLAP
    tokenizer: str = ""

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ChunkError(f"“{self.strategy}” is no strategy. Choose one of {_named()}.")
        if self.unit not in UNITS:
            raise ChunkError("A chunk is measured in characters or in tokens.")
        if not SHORTEST <= self.size <= LONGEST:
            raise ChunkError(f"A chunk has {SHORTEST} to {LONGEST:,} {self.unit}.")
        if not 0 <= self.overlap < self.size:
            raise ChunkError(
                f"The overlap is smaller than the chunk: below {self.size:,} {self.unit}."
            )
        if (self.unit == TOKENS) != bool(self.tokenizer):
            raise ChunkError("Choose the tokenizer whose tokens count.")

    def check_order(self) -> None:
        """Raise ChunkError for an overlap that makes many more chunks than there is text.

        What was cut elsewhere or earlier may have it.
        """
        if self.overlap > self.size // 2:
            raise ChunkError(
                f"The overlap is at most half of the chunk: {self.size // 2:,} {self.unit} of "
                f"{self.size:,}."
            )

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored with a set of chunks."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Settings:
        """Return the settings whose `as_json` gave this."""
        return cls(**stored)

    @property
    def name(self) -> str:
        """Return what chunks cut so are called where nobody names them."""
        unit = "" if self.unit == CHARACTERS else " tokens"
        return f"{self.strategy} {self.size}/{self.overlap}{unit}"

    @property
    def sha256(self) -> str:
        """Return what tells these settings from others."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


def _named() -> str:
    return ", ".join([*STRATEGIES][:-1]) + f" and {[*STRATEGIES][-1]}"
