"""How long training texts are in tokens, and how many a limit would cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

BYTES_A_TOKEN = 4.5  # of English text by a usual tokenizer; what is counted so is an estimate
Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of texts: of each in turn, and how many are longer than the limit."""

    each: tuple[int, ...]
    limit: int
    is_estimate: bool

    @property
    def mean(self) -> float:
        """Return tokens a text; 0 without any text."""
        return sum(self.each) / len(self.each) if self.each else 0.0

    @property
    def longest(self) -> int:
        return max(self.each, default=0)

    @property
    def cut(self) -> int:
        """Return how many texts would lose their end."""
        return sum(tokens > self.limit for tokens in self.each)


def estimated(text: str) -> int:
    """Return about how many tokens a text has, where no tokenizer is chosen."""
    return round(len(text.encode("utf-8", "surrogatepass")) / BYTES_A_TOKEN)


def counter(tokenizer: Path | None) -> Count:
    """Return what counts tokens: by this tokenizer's file, or else an estimate."""
    if tokenizer is None or not tokenizer.is_file():
        return estimated
    from tokenizers import Tokenizer  # noqa: PLC0415 - only who counts tokens loads it

    found = Tokenizer.from_str(tokenizer.read_text("utf-8"))
    found.no_truncation()
    return lambda text: len(found.encode(text, add_special_tokens=False).ids)


def lengths_of(texts: Iterable[str], count: Count, limit: int) -> Lengths:
    """Count the tokens of each text; one of exactly `limit` tokens is not cut."""
    return Lengths(tuple(map(count, texts)), limit, count is estimated)
