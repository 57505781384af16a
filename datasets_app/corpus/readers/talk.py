"""A conversation that is read turn by turn, and the bytes it covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import Turn
from datasets_app.corpus.readers.job import clean_turns
from datasets_app.corpus.source import Item, Problem, Record

LONGEST = 16 << 20  # bytes, after which it goes on as another


@dataclass(slots=True)
class Talk:
    """The turns so far; of the last one come the lines one by one."""

    meta: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    said: list[tuple[Turn, list[str]]] = field(default_factory=list)
    start: int = -1
    end: int = -1
    line: int = 1

    def cover(self, start: int, end: int, line: int) -> None:
        """Add bytes to those it covers."""
        if self.start < 0:
            self.start, self.line = start, line
        self.end = end

    @property
    def is_full(self) -> bool:
        return self.end - self.start > LONGEST

    def begin(self, role: str, text: str, *, is_learnt: bool = True) -> None:
        """Let somebody speak."""
        self.said.append((Turn(role, "", is_learnt), [text]))

    def turns(self) -> tuple[Turn, ...]:
        return tuple(Turn(who.role, "\n".join(lines), who.is_learnt) for who, lines in self.said)

    def item(self, turns: tuple[Turn, ...]) -> Iterator[Item]:
        """Yield what was read as a record of these turns, or say that there are none."""
        if self.start < 0:
            return
        if turns:
            clean, notes = clean_turns(turns)
            yield Record(self.start, self.end, clean, (*self.notes, *notes), self.meta)
        else:
            message = f"Line {self.line}: nobody speaks here."
            yield Problem(self.start, self.end, self.line, 1, "missing_role", message)
