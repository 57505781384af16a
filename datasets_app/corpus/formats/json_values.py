"""JSON files: conversations wherever they stand in arrays and objects of any size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import jsonl
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing.exchanges import arranged
from datasets_app.corpus.parsing.exports import is_directory
from datasets_app.corpus.parsing.json_scan import BOM, Cursor, Extent
from datasets_app.corpus.parsing.json_text import JsonError
from datasets_app.corpus.parsing.said import ShapeError
from datasets_app.corpus.parsing.shapes import is_talk, shared_context
from datasets_app.corpus.parsing.speaking import people_in
from datasets_app.corpus.readers import records
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.records import RecordSpan, Workshop
from datasets_app.corpus.readers.threads import Message, Told, joined
from datasets_app.corpus.source import Item, Problem, Record, Waiting

MOST_LEVELS = 12
SMALL = 1 << 20
TEXT_LISTS = frozenset({"data", "texts", "items", "rows", "passages", "documents", "examples"})
CLOSERS = {b"[": b"]", b"{": b"}"}


class _LostError(Exception):
    """The structure cannot be followed any further."""


def tell(head: TextHead) -> str | None:
    """Say why a text is JSON; JSON Lines were told before."""
    if not head.lines or head.text.lstrip()[:1] not in {"{", "["}:
        return "its name says JSON" if head.ending in FORMAT.endings else None
    if head.is_json:
        return "the whole text is one JSON value"
    is_named = head.ending in {*FORMAT.endings, *jsonl.FORMAT.endings}
    begins = re.sub(r"\s+", "", head.text[:400])[:2] in {'{"', "[{", '["', "[["}
    return "it begins like JSON" if is_named or begins else None


def read(job: Job) -> Iterator[Item]:
    """Yield the records of one or several JSON values that stand one after another.

    Raises WaitingError where no value has a shape that OTTO knows.
    """
    shop = Workshop.of(job)
    yield from records.pointing(joined(_read(job, shop), job.roles), shop)


def ask(job: Job) -> Waiting | None:
    """Return what a person is asked where nothing has a known shape; None for any other file."""
    shop = Workshop.as_found()
    for number, told in enumerate(_read(job, shop)):
        if isinstance(told, Record | Message):
            return None
        if number == records.LOOKED_AT:
            break
    return shop.strange.waiting(job.columns)


def _read(job: Job, shop: Workshop) -> Iterator[Told]:
    cursor = Cursor(job.stream)
    cursor.passes(BOM)
    try:
        while cursor.peek():
            yield from _between(cursor) or _top(cursor, shop)
    except _LostError as error:
        place, line, column = cursor.place, cursor.line, cursor.column
        cursor.skip_rest()
        message = f"Line {line}, column {column}: {error}"
        yield Problem(place, cursor.place, line, column, "bad_json", message)


def _top(cursor: Cursor, shop: Workshop) -> Iterator[Told]:
    """Read a value of the top level: an array is always entered, so that it may be endless."""
    if cursor.peek() == b"[":
        shop.outside = f"outside all threads in the list at {cursor.place}"
        found = _whole_talk(cursor, shop)
        shop.talk = "the whole list" if cursor.see(SMALL)[0] is Extent.TOO_LONG else ""
        yield from _enter(cursor, shop, 0) if found is None else found
    else:
        yield from _value(cursor, shop, 0, takes_text=True)


def _whole_talk(cursor: Cursor, shop: Workshop) -> Iterator[Told] | None:
    """Return the one conversation of a small array that is a list of turns itself."""
    extent, data = cursor.see(SMALL)
    if extent is not Extent.WHOLE:
        return None
    place = RecordSpan(cursor.place, cursor.place + len(data), cursor.line, cursor.column)
    try:
        value = shop.parse(data.decode("utf-8", "replace"))
    except JsonError:
        return None
    found = _recognised(place, value, shop)
    if found is not None:
        cursor.advance(len(data))
    return found


def _between(cursor: Cursor) -> Iterator[Told] | None:
    """Pass over a comment or an inner byte order mark, as a problem of its own."""
    start, line, column = cursor.place, cursor.line, cursor.column
    if cursor.passes(b"//"):
        cursor.skip_line()
        code, message = "comment", "A comment was passed over."
    elif cursor.passes(b"/*"):
        cursor.skip_to(b"*/")
        code, message = "comment", "A comment was passed over."
    elif cursor.passes(BOM):
        code, message = "inner_bom", "A byte order mark in the middle was passed over."
    else:
        return None
    return iter((Problem(start, cursor.place, line, column, code, f"Line {line}: {message}"),))


def _enter(
    cursor: Cursor, shop: Workshop, level: int, *, takes_text: bool = True
) -> Iterator[Told]:
    """Read the members of the container that begins here, one at a time."""
    opener = cursor.peek()
    cursor.advance(1)
    comma: RecordSpan | None = None
    while sign := cursor.peek():
        if sign == CLOSERS[opener]:
            if comma:
                yield records.problem(comma, "trailing_comma", "A comma too many was passed over.")
            cursor.advance(1)
            return
        if sign == b",":
            comma = RecordSpan(cursor.place, cursor.place, cursor.line, cursor.column)
            cursor.advance(1)
            continue
        passed = _between(cursor)
        if passed:
            yield from passed
            continue
        comma = None
        key = _key(cursor) if opener == b"{" else ""
        text = key in TEXT_LISTS if opener == b"{" else takes_text
        with shop.under(key):
            yield from _value(cursor, shop, level + 1, takes_text=text, is_member=opener == b"{")
    raise _LostError("the file ends before its last bracket.")


def _key(cursor: Cursor) -> str:
    """Pass over a key and its colon."""
    extent, data = cursor.see(SMALL)
    if extent is not Extent.WHOLE or not data.startswith(b'"'):
        raise _LostError("a key in quotation marks is expected here.")
    cursor.advance(len(data))
    if cursor.peek() != b":":
        raise _LostError("a colon is expected here.")
    cursor.advance(1)
    cursor.peek()
    return data.decode("utf-8", "replace").strip('"').casefold()


def _value(
    cursor: Cursor, shop: Workshop, level: int, *, takes_text: bool, is_member: bool = False
) -> Iterator[Told]:
    """Read one value: a record, a container to look into, or something to account for."""
    extent, data = cursor.see()
    if extent is not Extent.WHOLE:
        yield from _unbounded(cursor, shop, level, extent)
        return
    if not data:
        raise _LostError("a value is expected here.")
    place = RecordSpan(cursor.place, cursor.place + len(data), cursor.line, cursor.column)
    text = data.decode("utf-8", "replace")
    try:
        value = shop.parse(text)
    except JsonError as error:
        yield from _salvage(cursor, shop, level, place, records.broken(place, error, text))
        return
    context = _Context(level, takes_text=takes_text, is_member=is_member)
    yield from _parsed(cursor, shop, place, value, context)


@dataclass(frozen=True, slots=True)
class _Context:
    """Where a value stands: how deep, whether strings are texts there, whether it has a key."""

    level: int
    takes_text: bool
    is_member: bool


def _parsed(
    cursor: Cursor, shop: Workshop, place: RecordSpan, value: Any, context: _Context
) -> Iterator[Told]:
    """Account for a value that was parsed, and pass over it."""
    size = place.end - place.start
    notes = tuple(records.remarks(place, shop))
    found = _recognised(place, value, shop)
    if found is None and isinstance(value, str) and context.takes_text and not context.is_member:
        found = records.passage_record(place, value, shop)
    if found is not None:
        cursor.advance(size)
        yield from notes
        yield from found
    elif context.level < MOST_LEVELS and _holds_records(value, shop, context.level):
        before = shop.context, shop.roster
        shop.context = shared_context(value, shop.key if context.level else "") or before[0]
        shop.roster = {**shop.roster, **people_in(value)}
        yield from _enter(cursor, shop, context.level, takes_text=context.takes_text)
        shop.context, shop.roster = before
    else:
        cursor.advance(size)
        if not context.is_member:
            yield records.unknown(place, value, shop)


def _recognised(place: RecordSpan, value: Any, shop: Workshop) -> Iterator[Told] | None:
    if isinstance(value, list):
        if not is_talk("", value):
            return None
        value = {"messages": value}
    return records.record(place, value, shop)


def _salvage(
    cursor: Cursor, shop: Workshop, level: int, place: RecordSpan, problem: Problem
) -> Iterator[Told]:
    """Look into a container that does not parse: its whole members load, the broken ones fail."""
    sign = cursor.peek()
    if sign not in CLOSERS or level >= MOST_LEVELS or (sign == b"{" and level > 0):
        cursor.advance(place.end - place.start)
        yield problem
        return
    any_found = False
    for item in _enter(cursor, shop, level):
        any_found = True
        yield item
    if not any_found:
        yield problem


def _unbounded(cursor: Cursor, shop: Workshop, level: int, extent: Extent) -> Iterator[Told]:
    """Read a value that is too long, too deep or cut off."""
    start, line, column, sign = cursor.place, cursor.line, cursor.column, cursor.peek()
    if sign in CLOSERS and level < MOST_LEVELS and _may_enter(extent, sign, level):
        before = shop.talk
        if sign == b"[":
            shop.talk = f"the list at {start}"
        yield from _enter(cursor, shop, level)
        shop.talk = before
        return
    if extent is Extent.CUT:
        raise _LostError("the file ends inside this value.")
    cursor.skip_value()
    code = "too_nested" if extent is Extent.TOO_NESTED else "too_long"
    limit = "nested more than 64 levels deep" if code == "too_nested" else "longer than 16 MiB"
    message = f"The value in line {line}, column {column} is {limit}."
    yield Problem(start, cursor.place, line, column, code, message)


def _may_enter(extent: Extent, sign: bytes, level: int) -> bool:
    return extent is Extent.TOO_LONG or (extent is Extent.CUT and (sign == b"[" or level == 0))


def _holds_records(value: Any, shop: Workshop, level: int) -> bool:
    """Say whether a conversation stands somewhere inside a value."""
    if level > MOST_LEVELS or not isinstance(value, dict | list):
        return False
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        if _is_record(member, shop) or _is_text_list(key, member):
            return True
        if _holds_records(member, shop, level + 1):
            return True
    return False


def _is_record(value: Any, shop: Workshop) -> bool:
    if isinstance(value, list):
        return is_talk("", value)
    try:
        value = arranged(value)
        if shop.shapes.recognise(value) is not None or is_directory(value):
            return True
        return records.is_message(value)
    except ShapeError:
        return True


def _is_text_list(key: object, value: Any) -> bool:
    if not isinstance(value, list) or not isinstance(key, str):
        return False
    named = key.casefold() in TEXT_LISTS
    return named and bool(value) and all(isinstance(text, str) for text in value)


FORMAT = Format(
    kind="json",
    name="JSON",
    endings=("json",),
    reader=Reader("json", 9, read, ask),
    of_text=tell,
)
