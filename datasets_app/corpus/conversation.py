"""The values that every room shares: a turn, a conversation, and their identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SYSTEM, USER, ASSISTANT, PASSAGE = "system", "user", "assistant", "text"
ROLES = (SYSTEM, USER, ASSISTANT, PASSAGE)


class CorpusError(Exception):
    """Something about the data that a team member can read and act on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's words; `role` is one of ROLES, or the unknown word that the file held."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order; a *passage* is a conversation of one turn with the role `text`."""

    turns: tuple[Turn, ...]

    @property
    def is_passage(self) -> bool:
        return len(self.turns) == 1 and self.turns[0].role == PASSAGE

    def without_last_words(self) -> Conversation:
        """Return it up to the last turn that is not the user's: nobody answers what follows."""
        end = len(self.turns)
        while end and self.turns[end - 1].role == USER:
            end -= 1
        return Conversation(self.turns[:end]) if 0 < end < len(self.turns) else self

    def as_json(self) -> list[dict[str, str]]:
        """Return the turns as they are stored in the database."""
        return [{"role": turn.role, "text": turn.text} for turn in self.turns]

    def row_hash(self) -> str:
        """Return the SHA-256 of the canonical JSON: equal for equal roles and texts only."""
        canonical = json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def from_json(turns: Iterable[Mapping[str, Any]]) -> Conversation:
    """Return the conversation whose `as_json` gave these turns."""
    return Conversation(tuple(Turn(str(turn["role"]), str(turn["text"])) for turn in turns))


def passage(text: str) -> Conversation:
    """Return a conversation of one piece of plain text."""
    return Conversation((Turn(PASSAGE, text),))
