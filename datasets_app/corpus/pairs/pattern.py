"""What a pattern of the built-in generator is: its names, what it finds, and a good example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datasets_app.corpus.pairs.page import Page


@dataclass(frozen=True, slots=True)
class Found:
    """A question whose answer stands at `[start, end)` of the document, in whole sentences."""

    question: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One way to make questions of a text, whole. Its switch, its yield and its help read this.

    `name` is stored with each pair and never changes. `languages` are those that it knows; empty
    means any. Of two patterns that want one sentence, the one that stands first has it.
    """

    name: str
    label: str
    sentence: str
    example: tuple[str, str]  # a text, and the question made of it
    find: Callable[[Page], Iterator[Found]]
    languages: frozenset[str] = frozenset({"en"})
    on: bool = True
