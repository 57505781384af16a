"""Rows with named cells, of tables or of JSON Lines, under a mapping: records or messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER, CorpusError, Turn
from datasets_app.corpus.parsing import transcripts
from datasets_app.corpus.parsing.casting import Roles
from datasets_app.corpus.parsing.marked import marked_turns
from datasets_app.corpus.parsing.markup import without_tags
from datasets_app.corpus.parsing.moments import number, seconds
from datasets_app.corpus.parsing.reviewed import EXCLUDE, refused
from datasets_app.corpus.parsing.said import MARKS_OF_NOTES, Said, is_internal, without_mail
from datasets_app.corpus.parsing.tables import plain, turn_role
from datasets_app.corpus.parsing.telling import Telling
from datasets_app.corpus.readers.job import clean_turns, sample
from datasets_app.corpus.readers.threads import Message, Told
from datasets_app.corpus.source import Gap, Mapping, Problem, Record

PAUSE_SECONDS = 3600.0  # in which nobody writes, after which a new conversation begins
Cells = dict[str, str]


class RowSpan(NamedTuple):
    """Where a row stands: its bytes and its line."""

    start: int
    end: int
    line: int


@dataclass(slots=True)
class Rows:
    """Makes of each row what the mapping says, one after another.

    Raises CorpusError for a mapping of columns that are not there.
    """

    mapping: Mapping
    columns: tuple[str, ...]
    roles: Roles = field(default_factory=dict)
    """What a person said about who speaks, for cells that hold a whole talk."""
    are_talks: bool = False
    """Cells with labels are talks, even if nobody asks in them: a person said so, or most are."""
    _talk: str = ""
    _count: int = 0
    _order: str = ""
    _used: frozenset[str] = field(default=frozenset())
    _telling: Telling | None = None
    _marks: dict[str, str] = field(default_factory=dict)
    """The columns that may say that a message was meant for colleagues only."""

    def __post_init__(self) -> None:
        self._used = frozenset(self.mapping.columns)
        unknown = sorted(self._used - set(self.columns))
        if unknown:
            there = ", ".join(self.columns)
            raise CorpusError(f"The table has no column {unknown[0]!r}; it has {there}.")
        names = {name: plain(name) for name in self.columns if name not in self._used}
        self._marks = {name: mark for name, mark in names.items() if mark in MARKS_OF_NOTES}
        told = self.mapping
        if told.tells:
            self._telling = Telling.of(told.tells, self.columns, told.key, told.asks, told.template)

    def blank(self) -> None:
        """Take note of a blank row."""
        if self.mapping.begins == "blank":
            self._count += 1

    def items(self, cells: Cells, place: RowSpan, spare: str = "") -> Iterator[Told]:
        """Yield what a row holds; a row without the chosen cells is a problem."""
        if self._telling is None:
            yield self._item(cells, place, spare)
        elif told := self._telling.exchanges(cells):
            yield from self._facts(told, cells, place)
        else:
            yield self._lacks(cells, place)

    def _facts(self, told: list[tuple[str, str]], cells: Cells, place: RowSpan) -> Iterator[Record]:
        """Yield the conversations of a row; they share its bytes evenly, so each has a place."""
        key = self.mapping.key
        meta = {key: cells[key].replace("\0", "")} if key else {}
        size = place.end - place.start
        for count, (asked, answer) in enumerate(told):
            start = place.start + size * count // len(told)
            end = place.start + size * (count + 1) // len(told)
            turns, notes = clean_turns((Turn(USER, asked), Turn(ASSISTANT, answer)))
            yield Record(start, end, turns, notes, meta)

    def _item(self, cells: Cells, place: RowSpan, spare: str) -> Told:
        """Return what a row holds that is a conversation, or a part of one."""
        others = {
            name: cell.replace("\0", "") for name, cell in cells.items() if name not in self._used
        }
        meta: dict[str, Any] = {name: cell for name, cell in others.items() if cell}
        if spare:
            meta["spare cells"] = spare.replace("\0", "")
        if self.mapping.words or self.mapping.conversation:
            if is_internal({mark: cells.get(name, "") for name, mark in self._marks.items()}):
                return Gap(place.start, place.end)
            found = self._message(cells, place, meta)
            return found or self._lacks(cells, place)
        talk = self._talk_in(cells)
        turns = talk[0] if talk else self._turns(cells)
        if turns is None:
            return self._lacks(cells, place)
        clean, notes = clean_turns(turns)
        said_of_it = talk[1] if talk else ()
        is_answered = any(turn.role == ASSISTANT for turn in clean)
        rated = refused(others, may_like=True) if is_answered else {}
        meta |= {"reviewed_elsewhere": rated} if rated else {}
        decision = EXCLUDE if rated else ""
        told = (*said_of_it, *notes)
        return Record(place.start, place.end, clean, told, meta, decision=decision)

    def _talk_in(self, cells: Cells) -> tuple[tuple[Turn, ...], tuple[str, ...]] | None:
        """Return the talk that a cell of text holds, with a label for who speaks, if any."""
        text = cells.get(self.mapping.text or "", "")
        if marked := marked_turns(text):
            return marked, ()
        told = transcripts.read_text(text, self.roles) if ":" in text or "：" in text else None
        return told if told and (self.are_talks or transcripts.is_told(told[0])) else None

    def _lacks(self, cells: Cells, place: RowSpan) -> Problem | Gap:
        words = self.mapping.words
        if words and not cells.get(words, "-").strip():
            return Gap(place.start, place.end)  # a picture, or what was taken back
        message = f"Line {place.line} lacks the cells that were chosen."
        shown = sample(", ".join(cells.values()))
        return Problem(place.start, place.end, place.line, 1, "missing_role", message, shown)

    def _turns(self, cells: Cells) -> tuple[Turn, ...] | None:
        mapping = self.mapping
        if mapping.text:
            text = cells.get(mapping.text)
            return None if text is None else (Turn(PASSAGE, text),)
        system = cells.get(mapping.system or "", "").strip()
        opening = (Turn(SYSTEM, system),) if system else ()
        said = self._several(cells) if mapping.turns else self._pair(cells)
        return None if said is None else (*opening, *said)

    def _several(self, cells: Cells) -> tuple[Turn, ...] | None:
        """Return the turns of a row up to its last filled cell."""
        told = [
            (turn_role(name, n), cells.get(name, "")) for n, name in enumerate(self.mapping.turns)
        ]
        turns = tuple(Turn(role, text) for role, text in told if text.strip())
        return turns or None

    def _pair(self, cells: Cells) -> tuple[Turn, Turn] | None:
        mapping = self.mapping
        question, answer = cells.get(mapping.question or ""), cells.get(mapping.answer or "")
        if question is None or answer is None:
            return None
        context = cells.get(mapping.context or "", "").strip()
        asked = f"{question}\n\n{context}" if context else question
        return Turn(USER, asked), Turn(ASSISTANT, answer)

    def _message(self, cells: Cells, place: RowSpan, meta: dict[str, Any]) -> Message | None:
        """Return what a row says; None where nobody speaks, or no words stand in it."""
        mapping = self.mapping
        notes: list[str] = []
        order = cells.get(mapping.order or "", "").strip()
        said: tuple[Said, ...] = ()
        if mapping.words:
            speaker = cells.get(mapping.speaker or "", "").strip()
            text = cells.get(mapping.words, "")
            if speaker:
                said = (Said(without_mail(speaker), without_tags(text, notes)),)
            if not text.strip():
                return None
        else:
            pair = self._pair(cells)
            said = tuple(Said("", turn.text, turn.role) for turn in pair or ())
        talk = self._conversation(cells, order)
        if not said:
            return None
        system = cells.get(mapping.system or "", "").strip()
        named = {mapping.conversation: talk} if mapping.conversation and talk else {}
        more = (tuple(notes), {**meta, **named})
        return Message(*place, talk, said, order, system, *more)

    def _conversation(self, cells: Cells, order: str) -> str:
        """Return whose row this is; an empty cell below a name means the same one."""
        mapping = self.mapping
        if mapping.conversation:
            self._talk = cells.get(mapping.conversation, "").strip() or self._talk
            return self._talk
        if order and self._begins(order):
            self._count += 1
        self._order = order or self._order
        return str(self._count)

    def _begins(self, order: str) -> bool:
        """Say whether a new conversation begins at this place in the order."""
        read = {"anew": number, "pause": seconds}.get(self.mapping.begins or "")
        before, now = (read(self._order), read(order)) if read and self._order else (None, None)
        if before is None or now is None:
            return False
        if self.mapping.begins == "anew":
            return now < before or now == before == 0
        return abs(now - before) > PAUSE_SECONDS
