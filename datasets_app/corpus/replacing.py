"""Words looked for in conversations, and the words that take their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any

from datasets_app.corpus.conversation import (
    ASSISTANT,
    PASSAGE,
    USER,
    Conversation,
    CorpusError,
    Turn,
)
from datasets_app.corpus.difference import Part, TurnDifference

LONGEST_WANTED, LONGEST_PUT = 500, 2_000
LONGEST_TEXT = 4_000_000  # of a turn afterwards
SHOWN = 10  # places of a turn
SHOWN_AROUND = 80  # characters before and behind one
BOTH, QUESTIONS, ANSWERS, CONTEXT, ANYWHERE = "both", "questions", "answers", "context", "anywhere"
SIDES = {
    BOTH: "questions and answers",
    QUESTIONS: "questions",
    ANSWERS: "answers",
    CONTEXT: "context: system turns and other roles",
    ANYWHERE: "every turn",
}
OF_ROLE = {USER: QUESTIONS, ASSISTANT: ANSWERS, PASSAGE: ANSWERS}
ASCII_RUN = re.compile(r"[\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Replacing:
    """What is looked for and what takes its place, letter by letter; nothing in it is a pattern.

    Without `is_cased` letters stand for both their cases. With `is_word` what stands before and
    behind a place is no letter, digit or mark, where the words themselves begin and end with one.
    """

    find: str
    put: str
    side: str = BOTH
    is_cased: bool = False
    is_word: bool = False

    def __post_init__(self) -> None:
        if not self.find:
            raise CorpusError("Say which words to look for.")
        if len(self.find) > LONGEST_WANTED or len(self.put) > LONGEST_PUT:
            raise CorpusError(
                f"At most {LONGEST_WANTED} characters are looked for, and at most {LONGEST_PUT:,} "
                "put in their place."
            )
        if self.find == self.put:
            raise CorpusError("Both are the same, so nothing would change.")
        if self.side not in SIDES:
            raise CorpusError("Choose which turns are looked through.")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def has_cases(self) -> bool:
        """Whether the words also stand there in letters of the other case."""
        return not self.is_cased and self.find.lower() != self.find.upper()

    @property
    def surely_there(self) -> str:
        """Return what stands in every text with a place, maybe in other cases of ASCII letters.

        These are the cases that every database knows.
        """
        if not self.has_cases:
            return self.find
        return max(ASCII_RUN.findall(self.find), key=len, default="")

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the words stand, from the left, none over another."""
        flags = 0 if self.is_cased else re.IGNORECASE
        if self.find.isascii():
            flags |= re.ASCII  # an i is then no dotless one
        pattern = re.compile(re.escape(self.find), flags)
        found = pattern.search(text)
        while found:
            start, end = found.span()
            is_place = not self.is_word or self._stands_alone(text, start, end)
            if is_place and found[0] != self.put:
                yield start, end
            found = pattern.search(text, end if is_place else start + 1)

    def _stands_alone(self, text: str, start: int, end: int) -> bool:
        before = _in_word(self.find[0]) and start > 0 and _in_word(text[start - 1])
        behind = _in_word(self.find[-1]) and end < len(text) and _in_word(text[end])
        return not before and not behind

    def applied(self, conversation: Conversation) -> Conversation:
        """Return the conversation with the words replaced; the same where there are none."""
        return Conversation(tuple(self._turn(turn) for turn in conversation.turns))

    def _turn(self, turn: Turn) -> Turn:
        found = list(self._places_of(turn))
        grown = len(turn.text) + sum(len(self.put) - (end - start) for start, end in found)
        if not found or grown > max(LONGEST_TEXT, len(turn.text)):
            return turn
        return replace(turn, text="".join(p.text for p in self._parts(turn) if p.kind != "gone"))

    def count(self, conversation: Conversation) -> int:
        """Return in how many places the conversation would change."""
        return sum(
            sum(1 for _ in self._places_of(turn))
            for turn in conversation.turns
            if self._turn(turn) is not turn
        )

    def differences(self, conversation: Conversation) -> list[TurnDifference]:
        """Return the turns that would change, cut to what stands around their first places."""
        return [
            TurnDifference(turn.role, turn.role, tuple(shortened([*self._parts(turn, SHOWN)])))
            for turn in conversation.turns
            if self._turn(turn) is not turn
        ]

    def _places_of(self, turn: Turn) -> Iterator[tuple[int, int]]:
        side = OF_ROLE.get(turn.role, CONTEXT)
        if self.side in {ANYWHERE, side} or (self.side == BOTH and side != CONTEXT):
            yield from self.places(turn.text)

    def _parts(self, turn: Turn, most: int | None = None) -> Iterator[Part]:
        places = islice(self._places_of(turn), most)
        found = [(0, 0), *places, (len(turn.text), len(turn.text))]
        for (_, end), (start, following) in pairwise(found):
            yield Part("same", turn.text[end:start])
            if start < following:
                yield Part("gone", turn.text[start:following])
                yield Part("new", self.put)


def shortened(parts: list[Part]) -> Iterator[Part]:
    """Leave out of what stays all that is far from a place."""
    for number, part in enumerate(parts):
        text, last = part.text, number == len(parts) - 1
        keep_end = text[-SHOWN_AROUND:] if not last else ""
        keep_start = text[:SHOWN_AROUND] if number else ""
        if part.kind == "same" and len(text) > len(keep_start) + len(keep_end) + 1:
            text = f"{keep_start}…{keep_end}"
        if text:
            yield Part(part.kind, text)


def _in_word(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")
    return character.isalnum() or character == "_" or is_mark
