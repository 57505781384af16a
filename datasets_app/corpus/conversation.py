"""The values that every room shares: a turn, a conversation, and their identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

SYSTEM, USER, ASSISTANT, PASSAGE = "system", "user", "assistant", "text"
ROLES = (SYSTEM, USER, ASSISTANT, PASSAGE)


class CorpusError(Exception):
    """Something about the data that a team member can read and act on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's words; `role` is one of ROLES, or the unknown word that the file held.

    Some files say of an answer that it is not to be learnt (`weight` 0): it stands there all the
    same, as what was said before the next one.
    """

    role: str
    text: str
    is_learnt: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the turn as it is stored in the database."""
        told: dict[str, Any] = {"role": self.role, "text": self.text}
        return told if self.is_learnt else {**told, "weight": 0}


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

    def as_json(self) -> list[dict[str, Any]]:
        """Return the turns as they are stored in the database."""
        return [turn.as_json() for turn in self.turns]

    def canonical(self) -> str:
        """Return the JSON of `as_json` without spaces, its letters as they are."""
        return f"[{','.join([_canonical(turn) for turn in self.turns])}]"

    def row_hash(self) -> str:
        """Return the SHA-256 of the canonical JSON: equal for equal roles and texts only."""
        return hash_of(self.canonical())


def hash_of(canonical: str) -> str:
    """Return the hash of a row by its canonical JSON."""
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(turn: Turn) -> str:
    told = f'"role":{encode_basestring(turn.role)},"text":{encode_basestring(turn.text)}'
    return f"{{{told}}}" if turn.is_learnt else f'{{{told},"weight":0}}'


def from_json(turns: Iterable[Mapping[str, Any]]) -> Conversation:
    """Return the conversation whose `as_json` gave these turns."""
    return Conversation(
        tuple(Turn(str(turn["role"]), str(turn["text"]), turn.get("weight") != 0) for turn in turns)
    )


def passage(text: str) -> Conversation:
    """Return a conversation of one piece of plain text."""
    return Conversation((Turn(PASSAGE, text),))
