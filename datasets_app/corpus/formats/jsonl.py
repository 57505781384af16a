"""JSON Lines: one value per line; a broken line is one problem and the others load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from datasets_app.corpus.detection.text_head import LINE_END, TextHead, parses
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing.json_text import JsonError
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.messages import likely_messages
from datasets_app.corpus.parsing.shapes import Shapes, is_talk
from datasets_app.corpus.readers import records
from datasets_app.corpus.readers.job import Job, sample
from datasets_app.corpus.readers.records import RecordSpan, Workshop
from datasets_app.corpus.readers.rows import Rows, RowSpan
from datasets_app.corpus.readers.threads import Message, Told, joined
from datasets_app.corpus.source import Gap, Item, Mapping, Record, Waiting, WaitingError

ROWS_SHOWN = 10
BOM = b"\xef\xbb\xbf"


def tell(head: TextHead) -> str | None:
    """Say why a text is JSON Lines: half of its first lines are JSON on their own."""
    if head.is_json or not head.lines or head.text.lstrip()[:1] not in {"{", "["}:
        return None
    bare = [line.rstrip().removesuffix(",") for line in head.lines[:20]]
    # Behind the bracket of a list that is longer than this head the commas are its own.
    alone = [parses(line) for line in (bare if parses(bare[0]) else head.lines[:20])]
    if len(head.lines) > 1 and sum(alone) * 2 >= len(alone):
        return f"{sum(alone)} of the first {len(alone)} lines are JSON on their own"
    if head.ending in FORMAT.endings and (alone[0] or len(head.lines) == 1):
        return "it begins like JSON and its name says one record per line"
    return None


def read(job: Job) -> Iterator[Item]:
    """Yield the records of a JSON Lines file, numbered problems included.

    Raises WaitingError where each line is a message and none says of which conversation.
    """
    objects = _first_objects(job)
    mapping, asked, columns = job.columns, _ask_flat(job, objects), _columns(objects)
    if asked and mapping is None:
        raise WaitingError(asked)
    is_flat = mapping is not None and set(mapping.columns) <= set(columns)
    shop = Workshop.as_found() if is_flat else Workshop.of(job)
    made = Rows(mapping, columns) if mapping and is_flat else None
    lines = (told for line in split_lines(job.stream) for told in _line(line, shop, made))
    told = joined(lines, job.roles)
    yield from told if made else records.pointing(told, shop)


def ask(job: Job) -> Waiting | None:
    """Return what a person is asked of messages in lines, or of keys that nobody knows."""
    return _ask_flat(job, _first_objects(job)) or _ask_keys(job)


def _ask_keys(job: Job) -> Waiting | None:
    shop = Workshop.as_found()
    for line in islice(split_lines(job.stream), records.LOOKED_AT):
        if any(isinstance(told, Record | Message) for told in _line(line, shop, None)):
            return None
    return shop.strange.waiting(job.columns)


def _ask_flat(job: Job, objects: list[dict[str, Any]]) -> Waiting | None:
    """Return what a person is asked where each line is a message; None for any other file."""
    columns = _columns(objects)
    suggested = likely_messages(columns)
    is_known = suggested is None or suggested.conversation or not objects
    if is_known and not job.columns:
        return None
    is_flat = all(_is_flat(value, suggested) for value in objects)
    if not is_flat and not job.columns:
        return None
    return Waiting(
        "needs_mapping",
        "Tell us what the columns are; nothing is loaded until then.",
        columns=columns,
        rows=tuple(tuple(sample(_cell(value.get(key))) for key in columns) for value in objects),
        suggested=job.columns or suggested,
    )


def _is_flat(value: dict[str, Any], guess: Mapping | None) -> bool:
    """Say whether an object is one message and holds no conversation."""
    words = guess and guess.words
    if not words or not isinstance(value.get(words, ""), str | None):
        return False
    return not any(is_talk(key, held) for key, held in value.items()) and not (
        Shapes().recognise(value)
    )


def _first_objects(job: Job) -> list[dict[str, Any]]:
    """Return the objects in the first lines."""
    found = []
    for line in LINE_END.split(job.head_text.removeprefix("\ufeff"), ROWS_SHOWN)[:ROWS_SHOWN]:
        with suppress(ValueError, RecursionError):
            value = json.loads(line.rstrip().removesuffix(","))
            if isinstance(value, dict):
                found.append(value)
    return found


def _columns(objects: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the keys of objects, each once."""
    return tuple(dict.fromkeys(key for value in objects for key in value))


def _cell(value: Any) -> str:
    """Return a value as a cell of a table would hold it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _line(line: Line, shop: Workshop, made: Rows | None) -> Iterator[Told]:
    place = RecordSpan(line.start, line.end, line.number)
    if line.data is None:
        yield records.problem(place, "too_long", f"Line {line.number} is longer than 16 MiB.")
        return
    data = line.data.strip(b" \t\r\n")
    if not data:
        if made:
            made.blank()
        yield Gap(line.start, line.end, "blank")
        return
    if data.startswith(BOM):
        data = data.removeprefix(BOM)
        at = RecordSpan(line.start, line.start, line.number)
        message = "A byte order mark in the middle of the file was passed over."
        yield records.problem(at, "inner_bom", message)
    if data.endswith((b"},", b"],")):
        data = data.removesuffix(b",")
        at = RecordSpan(line.start, line.start, line.number)
        yield records.problem(at, "trailing_comma", "A comma too many was passed over.")
    text = data.decode("utf-8", "replace")
    try:
        value = shop.parse(text)
    except JsonError as error:
        yield records.broken(place, error, text)
        return
    yield from records.remarks(place, shop)
    if made and isinstance(value, dict):
        cells = {key: _cell(held) for key, held in value.items()}
        yield from made.items(cells, RowSpan(place.start, place.end, place.line))
    else:
        yield from _value(place, value, shop)


def _value(place: RecordSpan, value: Any, shop: Workshop) -> Iterator[Told]:
    found = records.record(place, value, shop)
    if found is not None:
        yield from found
    elif isinstance(value, str):
        yield from records.passage_record(place, value, shop)
    elif _is_lone_list(value):
        yield from records.record(place, {"messages": value}, shop) or ()
    else:
        yield records.unknown(place, value, shop)


def _is_lone_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


FORMAT = Format(
    kind="jsonl",
    name="JSON Lines",
    endings=("jsonl", "ndjson"),
    reader=Reader("jsonl", 9, read, ask),
    of_text=tell,
)
