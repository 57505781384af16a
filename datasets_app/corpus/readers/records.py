"""What the two JSON readers share: a parsed value becomes a record or a problem."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, Turn
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.parsing.exchanges import arranged
from datasets_app.corpus.parsing.exports import is_directory, is_slack, with_people
from datasets_app.corpus.parsing.helpdesks import is_post, post_of, unwrapped
from datasets_app.corpus.parsing.json_text import JsonError, JsonParser
from datasets_app.corpus.parsing.messages import Keys, message_keys
from datasets_app.corpus.parsing.pointed import Pointed, Strange
from datasets_app.corpus.parsing.said import ShapeError, said_in
from datasets_app.corpus.parsing.shapes import Found, Shapes, is_named
from datasets_app.corpus.parsing.speaking import spoken
from datasets_app.corpus.readers.job import LONGEST, Job, clean_turns, sample
from datasets_app.corpus.readers.passages import pieces
from datasets_app.corpus.readers.threads import Message, Told
from datasets_app.corpus.source import Gap, Item, Problem, Record, WaitingError

LOOKED_AT, LOOKED_AT_BYTES = 2_000, 4 << 20  # items and bytes; chosen by hand


@dataclass(frozen=True, slots=True)
class RecordSpan:
    """Where a value stands: its bytes, its line, and the column its line begins to count from."""

    start: int
    end: int
    line: int
    column: int = 1


@dataclass(slots=True)
class Workshop:
    """The parser and the recogniser that one file uses for all its values."""

    shapes: Shapes
    parser: JsonParser = field(default_factory=JsonParser)
    context: str = ""
    """What the pairs being read are about; it goes before each question."""
    key: str = ""
    """The nearest key that is a word, under which they stand."""
    roster: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Names and roles of the people that the objects around it list, by their numbers."""
    people: Mapping[str, str] = field(default_factory=dict)
    """Names for the numbers of an export's people."""
    talk: str = ""
    """Which conversation turns are of that stand in a list too long to be seen whole."""
    outside: str = "outside all threads"
    """Which conversation messages of Slack are of that are of no thread: those of one day."""
    longest: int = LONGEST
    pointed: Pointed | None = None
    strange: Strange = field(default_factory=Strange)
    """What was seen that has no known shape."""

    def parse(self, text: str) -> Any:
        """Return the value of a text. Raises JsonError where it has none."""
        parsed = self.parser.parse(text)
        value = unwrapped(parsed)
        if self.pointed:
            return self.pointed.renamed(value)
        if value is not parsed:
            return value
        return spoken(arranged(value), self.roster, self.shapes.knows)

    @contextmanager
    def under(self, key: str) -> Iterator[None]:
        """Read what stands under a key of an object; one without letters names nothing."""
        before = self.key
        self.key = key if any(sign.isalpha() for sign in key) else before
        yield
        self.key = before

    @classmethod
    def of(cls, job: Job) -> Workshop:
        pointed = Pointed(job.columns) if job.columns else None
        return cls(Shapes(job.roles), people=job.people, pointed=pointed, longest=job.longest)

    @classmethod
    def as_found(cls) -> Workshop:
        """Return one to which nobody said anything."""
        return cls(Shapes())


def problem(place: RecordSpan, code: str, message: str, data: bytes | str = "") -> Problem:
    return Problem(place.start, place.end, place.line, place.column, code, message, sample(data))


def broken(place: RecordSpan, error: JsonError, text: str) -> Problem:
    """Return the problem of a value that does not parse, at the very sign that is wrong."""
    before = text[: error.position]
    line = place.line + before.count("\n")
    column = error.position - before.rfind("\n") + (place.column - 1 if line == place.line else 0)
    around = sample(text[max(0, error.position - 40) : error.position + 80])
    message = f"Line {line}, column {column}: {error}"
    return Problem(place.start, place.end, line, column, error.code, message, around)


def unknown(place: RecordSpan, value: Any, shop: Workshop) -> Problem:
    """Return the problem of a value of no known shape, and keep it for the question."""
    shop.strange.see(value)
    message = f"Line {place.line} has none of the shapes OTTO knows."
    return problem(place, "unknown_shape", message, str(value)[:200])


def pointing(items: Iterator[Item], shop: Workshop) -> Iterator[Item]:
    """Yield a reader's items; raises WaitingError where nothing in the beginning has a known shape.

    A person then says what the keys hold.
    """
    looked: list[Item] = []
    size = 0
    for item in items:
        looked.append(item)
        size += item.end - item.start
        if isinstance(item, Record) or len(looked) == LOOKED_AT or size > LOOKED_AT_BYTES:
            break
    is_known = shop.pointed or any(isinstance(item, Record) for item in looked)
    asked = None if is_known else shop.strange.waiting()
    if asked:
        raise WaitingError(asked)
    yield from chain(looked, items)


def remarks(place: RecordSpan, shop: Workshop) -> Iterator[Problem]:
    """Yield what was odd about the value just parsed, without taking bytes from its record."""
    for code, message in shop.parser.notes:
        yield Problem(place.start, place.start, place.line, place.column, code, message)


def record(place: RecordSpan, value: Any, shop: Workshop) -> Iterator[Told] | None:
    """Return the items of a value of known shape, or None when its shape is unknown.

    One message of a conversation is a shape, too, where it says of which.
    """
    if shop.people:
        value = with_people(value, shop.people)
    if is_directory(value):
        return iter((Gap(place.start, place.end),))
    try:
        found = shop.shapes.recognise(value)
    except ShapeError as error:
        return iter((problem(place, error.code, f"Line {place.line}: {error}", str(value)[:200]),))
    if found is None:
        return _message(place, value, (shop.talk, shop.outside))
    if shop.context and [turn.role for turn in found.turns] == [USER, ASSISTANT]:
        asked = Turn(USER, f"{shop.context}\n\n{found.turns[0].text}")
        found.turns = (asked, *found.turns[1:])
    return _records(place, found, shop.longest)


def is_message(value: Any) -> bool:
    """Say whether an object is one message that names its conversation."""
    return bool(_talk_of(value, ""))


def _talk_of(value: Any, lone: str, outside: str = "outside") -> str:
    """Return of which conversation a message is; "" for whatever is no message.

    `lone` is that of those which name none, `outside` that of Slack's outside all threads.
    """
    if not isinstance(value, dict):
        return ""
    if is_slack(value):
        return str(value.get("thread_ts") or outside)
    if is_post(value) and (post := post_of(value)):
        return post
    keys = message_keys(tuple(value))
    if not (keys.speaker and keys.words):
        return ""
    named: Any = lone if is_named(value) else ""
    if keys.conversation:
        named = value[keys.conversation]
    return str(named) if isinstance(named, str | int) else ""


def _message(place: RecordSpan, value: Any, talks: tuple[str, str]) -> Iterator[Told] | None:
    """Return a message; one without words, as a picture is, holds nothing to load."""
    talk = _talk_of(value, *talks)
    if not talk:
        return None
    keys, notes = message_keys(tuple(value)), list[str]()
    order = value.get(keys.order or "")
    others = {key: held for key, held in value.items() if key not in {*keys} - {keys.conversation}}
    told = value if is_slack(value) else _plainly(value, keys)
    try:
        said = said_in([told], notes)
    except ShapeError as error:
        return iter((problem(place, error.code, f"Line {place.line}: {error}"),))
    if not said or not said[0].text.strip():
        return iter((Gap(place.start, place.end),))
    moment = str(order) if isinstance(order, str | int | float) else ""
    simple = {key: held for key, held in others.items() if not isinstance(held, dict | list)}
    meta = {clean_text(key).text: clean_value(held) for key, held in simple.items()}
    message = Message(place.start, place.end, place.line, talk, tuple(said), moment)
    return iter((replace(message, notes=tuple(notes), meta=meta),))


def _plainly(value: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """Return a message with its speaker and words under the plainest keys."""
    others = {key: held for key, held in value.items() if key not in {keys.speaker, keys.words}}
    return {**others, "role": value[keys.speaker or ""], "content": value[keys.words or ""]}


def passage_record(place: RecordSpan, text: str, shop: Workshop) -> Iterator[Item]:
    return _records(place, Found((Turn(PASSAGE, text),)), shop.longest)


def _records(place: RecordSpan, found: Found, longest: int) -> Iterator[Item]:
    turns, more = clean_turns(found.turns)
    notes = (*dict.fromkeys(found.notes), *more)
    meta = {clean_text(key).text: clean_value(value) for key, value in found.meta.items()}
    if len(turns) == 1 and turns[0].role == PASSAGE and len(turns[0].text) > longest:
        told = pieces(turns[0].text, longest)
        yield from _passages(place, list(told), notes, meta)
    else:
        yield Record(place.start, place.end, turns, notes, meta, decision=found.decision)


def _passages(
    place: RecordSpan, found: list[str], notes: tuple[str, ...], meta: dict[str, Any]
) -> Iterator[Record]:
    """Divide one long string; its pieces share its bytes evenly, so that each has a place."""
    size = place.end - place.start
    for number, piece in enumerate(found):
        start = place.start + size * number // len(found)
        end = place.start + size * (number + 1) // len(found)
        yield Record(start, end, (Turn(PASSAGE, piece),), notes, {**meta, "part": number + 1})


def clean_value(value: Any) -> Any:
    """Return metadata that jsonb takes: clean strings and keys, no infinite number."""
    if isinstance(value, str):
        return clean_text(value).text
    if isinstance(value, dict):
        return {clean_text(key).text: clean_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [clean_value(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
