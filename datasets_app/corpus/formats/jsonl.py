"""JSON Lines: one value per line; a broken line is one problem and the others load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datasets_app.corpus.detection.text_head import TextHead, parses
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing.json_text import JsonError
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.readers import records
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.records import RecordSpan, Workshop
from datasets_app.corpus.source import Gap, Item

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
    """Yield the records of a JSON Lines file, numbered problems included."""
    shop = Workshop.of(job)
    for line in split_lines(job.stream):
        yield from _line(line, shop)


def _line(line: Line, shop: Workshop) -> Iterator[Item]:
    place = RecordSpan(line.start, line.end, line.number)
    if line.data is None:
        yield records.problem(place, "too_long", f"Line {line.number} is longer than 16 MiB.")
        return
    data = line.data.strip(b" \t\r\n")
    if not data:
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
        value = shop.parser.parse(text)
    except JsonError as error:
        yield records.broken(place, error, text)
        return
    yield from records.remarks(place, shop)
    yield from _value(place, value, shop, text)


def _value(place: RecordSpan, value: Any, shop: Workshop, text: str) -> Iterator[Item]:
    found = records.record(place, value, shop)
    if found is not None:
        yield from found
    elif isinstance(value, str):
        yield from records.passage_record(place, value)
    elif _is_lone_list(value):
        yield from records.record(place, {"messages": value}, shop) or ()
    else:
        message = f"Line {place.line} has none of the shapes OTTO knows."
        yield records.problem(place, "unknown_shape", message, text)


def _is_lone_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


FORMAT = Format(
    kind="jsonl",
    name="JSON Lines",
    endings=("jsonl", "ndjson"),
    reader=Reader("jsonl", 3, read),
    of_text=tell,
)
