"""What people write into a row: its turns as the fields hold them, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

from datasets_app.corpus.conversation import (
    ASSISTANT,
    PASSAGE,
    ROLES,
    SYSTEM,
    USER,
    Conversation,
    Turn,
)

MOST_TURNS = 400  # two fields each: a browser's form stays well below what is taken at once
ASKED = re.compile(r"(save|look|join|add|remove|split)(?::(\d{1,4}))?")
NUMBER = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class Written:
    """The turns as they were typed, the revision they were typed over, and what is asked."""

    conversation: Conversation
    revision: int
    following: tuple[int, int] | None
    asked: str
    place: int
    key: str

    @property
    def rearranged(self) -> Conversation:
        """Return the turns with one more behind the place, or without the one there."""
        turns = [*self.conversation.turns]
        if self.asked == "add":
            before = turns[self.place].role if self.place < len(turns) else ASSISTANT
            turns.insert(self.place + 1, Turn(USER if before == ASSISTANT else ASSISTANT, ""))
        elif self.asked == "remove":
            del turns[self.place : self.place + 1]
        return Conversation(tuple(turns))


def written(body: QueryDict, stored: Iterable[Turn] = ()) -> Written:
    """Read a form. A turn that nobody touched is the stored one, to its last sign.

    Browsers send one kind of line ends, so a text that differs from a stored one by these alone is
    that one.
    """
    exact = {_plain(turn.text): turn.text for turn in stored}
    roles = [role[:100].replace("\0", "") or USER for role in body.getlist("role")]
    texts = [_plain(text).replace("\0", "") for text in body.getlist("text")]
    turns = [Turn(role, exact.get(text, text)) for role, text in zip(roles, texts, strict=False)]
    asked = ASKED.fullmatch(body.get("do", "save"))
    following = (body.get("following", ""), body.get("following_revision", ""))
    return Written(
        conversation=Conversation(tuple(turns[:MOST_TURNS])),
        revision=_number(body.get("revision", "")),
        following=(_number(following[0]), _number(following[1])) if following[0] else None,
        asked=asked[1] if asked else "look",
        place=int(asked[2] or 0) if asked else 0,
        key=body.get("key", "")[:64],
    )


def role_choices(conversation: Conversation) -> list[str]:
    """Return the roles to choose from: also words that a file brought."""
    there = [turn.role for turn in conversation.turns]
    usual = [*(USER, ASSISTANT, SYSTEM), *([PASSAGE] if len(there) == 1 else [])]
    return list(dict.fromkeys([*usual, *(role for role in there if role not in ROLES), *there]))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(value: str) -> int:
    return int(value) if NUMBER.fullmatch(value) else 0
