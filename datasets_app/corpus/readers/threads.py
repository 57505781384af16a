"""Messages that stand in rows of their own become conversations, wherever these rows lie.

The rows of one conversation may lie anywhere in a file, so nothing can be told before its end.
Until then the messages lie in a temporary database on disk, of which SQLite holds 16 MiB in
memory; they come back in the order in which the conversations began. A conversation stands at its
first run of neighbouring rows; its other rows are `Joined`. One that grows over a limit goes on
as another, so that no name, however often it comes, fills the memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, TypeAlias

from datasets_app.corpus.conversation import SYSTEM, Turn
from datasets_app.corpus.parsing.casting import Roles, cast
from datasets_app.corpus.parsing.moments import in_order
from datasets_app.corpus.parsing.said import Said
from datasets_app.corpus.readers.job import clean_turns
from datasets_app.corpus.source import Gap, Item, Joined, Problem, Record

CACHE_KIB = 16 << 10
LONGEST_TALK, MOST_MESSAGES = 1 << 20, 2_000  # bytes and messages, after which it is divided
MOST_REMARKS = 1_000  # of one run


@dataclass(frozen=True, slots=True)
class Message:
    """What one row says, and in which conversation; rows with a pair say two things."""

    start: int
    end: int
    line: int
    talk: str
    said: tuple[Said, ...]
    order: str = ""
    system: str = ""
    notes: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Conversations that began apart and turn out here to be this one."""


Told: TypeAlias = Item | Message


def joined(items: Iterator[Told], roles: Roles) -> Iterator[Item]:
    """Yield the items with their messages as conversations; from the first of these on, on disk.

    What comes before the first message passes as it is.
    """
    for item in items:
        if isinstance(item, Message):
            yield from _from_disk(chain([item], items), roles)
            return
        yield item


def _from_disk(items: Iterator[Told], roles: Roles) -> Iterator[Item]:
    # An empty name is a file that SQLite keeps where temporary files lie, and removes itself.
    with closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)) as base:
        for statement in SCHEMA:
            base.execute(statement)
        desk = _Desk(base)
        for item in items:
            desk.add(item)
        desk.end_run()
        desk.unite()
        yield from _told(base, roles, is_in_order=not desk.is_scattered)


SCHEMA = (
    *("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA temp_store = FILE"),
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "CREATE TABLE talks (name BLOB PRIMARY KEY, id INTEGER, size INTEGER, n INTEGER) WITHOUT ROWID",
    # `talk` is that of a record, minus that of a joined run, or 0 beside another item
    "CREATE TABLE items (start INTEGER, end INTEGER, talk INTEGER, other BLOB)",
    "CREATE TABLE said (talk INTEGER, told BLOB)",
    "BEGIN",
)
UNITE = (
    "UPDATE said SET talk = first FROM firsts WHERE firsts.id = talk",
    "UPDATE items SET talk = -first FROM firsts WHERE firsts.id = abs(talk)",
)


@dataclass(slots=True)
class _Desk:
    """Puts items on disk; messages of one conversation that lie side by side are one run."""

    base: sqlite3.Connection
    talks: int = 0
    is_scattered: bool = False
    run: list[Message] = field(default_factory=list)
    between: list[Gap] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    same: list[tuple[str, str]] = field(default_factory=list)

    def add(self, item: Told) -> None:
        if isinstance(item, Message):
            if self.run and (item.talk != self.run[0].talk or self._is_full(item)):
                self.end_run()
            self.between.clear()  # blank rows inside a run belong to it
            self.run.append(item)
            self.same.extend((item.talk, other) for other in item.also)
        elif isinstance(item, Gap) and self.run:
            self.between.append(item)
        elif isinstance(item, Problem) and item.start == item.end and self.run:
            self._remark(item)
        else:
            self.end_run()
            self._put(item)

    def _remark(self, item: Problem) -> None:
        """Keep a remark until its run ends; it is told before it, and takes no bytes from it."""
        if len(self.remarks) >= MOST_REMARKS:
            self.end_run()
            self._put(item)
        else:
            self.remarks.append(item)

    def _is_full(self, item: Message) -> bool:
        return item.end - self.run[0].start > LONGEST_TALK or len(self.run) >= MOST_MESSAGES

    def end_run(self) -> None:
        """Put the open run on disk, with what was remarked in it and what lies behind it."""
        if self.run:
            start, end = self.run[0].start, self.run[-1].end
            late = [one for one in self.remarks if one.start >= end]
            for one in self.remarks:
                if one.start < end:
                    self._put(replace(one, start=start, end=start))
            talk, is_first = self._talk_of(self.run[0].talk, end - start, len(self.run))
            self._row(start, end, talk if is_first else -talk, b"")
            rows = [(talk, _packed(message)) for message in self.run]
            self.base.executemany("INSERT INTO said VALUES (?, ?)", rows)
            self.run.clear()
            self.remarks.clear()
            for gap in self.between:
                self._put(gap)
            self.between.clear()
            for one in late:
                self._put(one)

    def _talk_of(self, name: str, size: int, count: int) -> tuple[int, bool]:
        """Return the number of a conversation, and whether it begins here."""
        key = name.encode("utf-8", "surrogatepass")
        asked = self.base.execute("SELECT id, size, n FROM talks WHERE name = ?", (key,))
        talk, held, messages = asked.fetchone() or (0, 0, 0)
        fits = held + size <= LONGEST_TALK and messages + count <= MOST_MESSAGES
        if talk and fits:
            self.is_scattered = True
            change = "UPDATE talks SET size = ?, n = ? WHERE name = ?"
            self.base.execute(change, (held + size, messages + count, key))
            return talk, False
        self.talks += 1
        row = (key, self.talks, size, count)
        self.base.execute("INSERT OR REPLACE INTO talks VALUES (?, ?, ?, ?)", row)
        return self.talks, True

    def unite(self) -> None:
        """Make conversations one that began apart, where the earlier one begins."""
        firsts: dict[int, int] = {}
        sizes: dict[int, tuple[int, int]] = {}
        for pair in self.same:
            ids = []
            for name in pair:
                key = (name.encode("utf-8", "surrogatepass"),)
                asked = self.base.execute("SELECT id, size, n FROM talks WHERE name = ?", key)
                talk, size, count = asked.fetchone() or (0, 0, 0)
                while firsts.get(talk, talk) != talk:
                    talk = firsts[talk]
                sizes.setdefault(talk, (size, count))
                ids.append(talk)
            first, second = min(ids), max(ids)
            size, count = (sum(both) for both in zip(sizes[first], sizes[second], strict=True))
            if first in {0, second} or size > LONGEST_TALK or count > MOST_MESSAGES:
                continue
            firsts[second], sizes[first] = first, (size, count)
        for talk in sorted(firsts):  # what one leads to is smaller, so it is final already
            firsts[talk] = firsts.get(firsts[talk], firsts[talk])
        if firsts:
            self.is_scattered = True
            self.base.execute("CREATE TABLE firsts (id INTEGER PRIMARY KEY, first INTEGER)")
            self.base.executemany("INSERT INTO firsts VALUES (?, ?)", firsts.items())
            for statement in UNITE:
                self.base.execute(statement)

    def _put(self, item: Item) -> None:
        """Put an item on disk that is no message."""
        if isinstance(item, Problem):
            told = [item.line, item.column, item.code, item.message, item.sample]
            self._row(item.start, item.end, 0, _dumped(told))
        elif isinstance(item, Record):
            turns = [[turn.role, turn.text] for turn in item.turns]
            self._row(item.start, item.end, 0, _dumped([turns, item.notes, item.meta]))
        elif isinstance(item, Gap):
            self._row(item.start, item.end, 0, _dumped([item.reason]))

    def _row(self, start: int, end: int, talk: int, other: bytes) -> None:
        self.base.execute("INSERT INTO items VALUES (?, ?, ?, ?)", (start, end, talk, other))


def _dumped(told: object) -> bytes:
    """Return anything as bytes; half characters, which are cleaned later, stay what they are."""
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _loaded(data: bytes) -> Any:
    return json.loads(data.decode("utf-8", "surrogatepass"))


def _packed(message: Message) -> bytes:
    said = [(one.speaker, one.text, one.role) for one in message.said]
    return _dumped((said, message.order, message.system, message.notes, message.meta, message.line))


def _told(base: sqlite3.Connection, roles: Roles, *, is_in_order: bool) -> Iterator[Item]:
    order = "rowid" if is_in_order else "talk, rowid"
    said = base.execute(f"SELECT talk, told FROM said ORDER BY {order}")  # noqa: S608 - two of ours
    talks = groupby(said, key=itemgetter(0))
    for start, end, talk, other in base.execute("SELECT * FROM items ORDER BY rowid"):
        if talk > 0:
            _, rows = next(talks)
            yield _record(start, end, [_loaded(told) for _, told in rows], roles)
        elif talk < 0:
            yield Joined(start, end)
        else:
            yield _other(start, end, _loaded(other))


def _other(start: int, end: int, told: list[Any]) -> Item:
    if len(told) == 1:
        return Gap(start, end, told[0])
    if len(told) == 3:
        turns = tuple(Turn(role, text) for role, text in told[0])
        return Record(start, end, turns, tuple(told[1]), told[2])
    return Problem(start, end, *told)


def _record(start: int, end: int, rows: list[Any], roles: Roles) -> Record | Problem:
    """Return one conversation of rows as they were packed."""
    notes = [note for row in rows for note in row[3]]
    first = rows[0]
    rows = _in_order(rows, notes)
    said = [Said(*one) for row in rows for one in row[0]]
    turns = cast(said, roles, notes)
    line, meta = first[5], first[4]
    if not turns:
        message = f"Line {line}: nobody is left who speaks in this conversation."
        return Problem(start, end, line, 1, "missing_role", message)
    if rows[0][2]:
        turns = (Turn(SYSTEM, rows[0][2]), *turns)
    turns, more = clean_turns(turns)
    return Record(start, end, turns, (*dict.fromkeys(notes), *more), meta)


def _in_order(rows: list[Any], notes: list[str]) -> list[Any]:
    orders = [row[1] for row in rows]
    if not any(orders):
        return rows
    places = in_order(orders)
    if places is None:
        notes.append("the order could not be read, so the messages stand as in the file")
        return rows
    if places != sorted(places):
        notes.append("the messages were put in order")
    return [rows[place] for place in places]
