"""What a file layout is: its name, and how rows are written in it one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation on its way out, its number, and what is known of it.

    `told` is the same for all rows of a file in kind; `fields` are those of the record it came of.
    """

    number: int
    conversation: Conversation
    told: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A file layout; `words` and `about` are for people.

    `head`, `between` and `tail` stand around the rows and between them.
    """

    words: str
    about: str
    suffix: str
    content_type: str
    write: Callable[[Row], str]
    head: str = ""
    between: str = ""
    tail: str = ""
    pack: Callable[[Iterator[str]], Iterator[bytes]] | None = None
    """How the text becomes a file that is none."""

    def file(self, rows: Iterable[Row]) -> Iterator[str] | Iterator[bytes]:
        """Yield the file in pieces."""
        text = self.text(rows)
        return self.pack(text) if self.pack else text

    def text(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yield the text in pieces, a row in each."""
        yield self.head
        before = ""
        for row in rows:
            yield before + self.write(row)
            before = self.between
        yield self.tail
