"""What several rules need of one text, split and lower-cased once."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_app.corpus.rules.finding import Span
from datasets_app.corpus.rules.words import uses_letter_script, words_of

SCAN_CHARACTERS = 20_000
_SEAM = "\n"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The scanned text (its first and last 20,000 characters), its words and its distinct words."""

    text: str
    words: list[str]
    distinct: set[str]
    has_letters: bool
    skipped: int
    stored: str  # the whole text, for what is cheap whatever its length

    @property
    def is_empty(self) -> bool:
        """Whether the text is without any letter or digit."""
        return not self.text[:1].isalnum() and not any(map(str.isalnum, self.text))

    @property
    def whole(self) -> tuple[Span, ...]:
        """The span of the stored text, from end to end."""
        end = self.place(len(self.text))
        return ((0, end),) if end else ()

    def place(self, offset: int) -> int:
        """Return where in the stored text this offset of the scanned text lies."""
        if self.skipped and offset > SCAN_CHARACTERS:
            return offset + self.skipped
        return offset


def measure(text: str) -> Numbers:
    """Return the numbers of a text; the cost is bounded whatever its length."""
    skipped = max(0, len(text) - 2 * SCAN_CHARACTERS - len(_SEAM))
    scanned = text
    if skipped:
        scanned = text[:SCAN_CHARACTERS] + _SEAM + text[-SCAN_CHARACTERS:]
    words = words_of(scanned)
    return Numbers(scanned, words, set(words), uses_letter_script(scanned), skipped, text)
