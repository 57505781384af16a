"""What the offline judge is given about a pair, and what it says of one side of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from datasets_app.corpus.judging.passages import Passage, read, span_of


@dataclass(frozen=True)
class Material:
    """A pair with the text it came from ("": none is known).

    `rank` is the place at which the question finds this text among the others by word search, and
    `nearness` the cosine of question and answer as an encoder sees them; None: nobody looked.
    """

    question: str
    answer: str
    chunk: str = ""
    rank: int | None = None
    nearness: float | None = None

    @cached_property
    def source(self) -> Passage:
        return read(self.chunk)

    @cached_property
    def asked(self) -> Passage:
        return read(self.question)

    @cached_property
    def said(self) -> Passage:
        return read(self.answer)

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """Return where the answer stands in the text word for word, the final mark aside."""
        return span_of(self.answer, self.source) or span_of(self.answer.rstrip(" .!"), self.source)


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-score from 0 to 10 with one sentence that says why, and what is to be done."""

    score: float
    evidence: str
    issues: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


def worst(parts: list[Part], otherwise: Part) -> Part:
    """Return the lowest of several objections, with the issues of all of them."""
    if not parts:
        return otherwise
    lowest = min(parts, key=lambda one: one.score)
    issues = [issue for one in parts for issue in one.issues]
    advice = [told for one in parts for told in one.advice]
    return Part(lowest.score, lowest.evidence, issues, advice)


def named(words: set[str] | frozenset[str], most: int = 3) -> str:
    """Return some words in quotes, for a sentence."""
    return ", ".join(f"“{word}”" for word in sorted(words)[:most])
