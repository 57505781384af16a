"""Plain text and Markdown: passages of at most 8,000 characters, cut at blank lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import PASSAGE, Turn
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.readers.job import LONGEST, Job, clean_turns, decoded
from datasets_app.corpus.source import Gap, Item, Problem, Record

FITTING_APART = 150  # signs: what is shorter is no answer by itself; chosen by hand
HEADING = re.compile(r"#{1,6}\s+(\S.*)")
FENCE = re.compile(rb"\A\s*+(?:```|~~~)")
FRONT_MATTER_LINES = 200
# Where in a recording something is said: in brackets, or with seconds behind the minutes.
MOMENT = re.compile(
    r"(?m)^[ \t]*+(?:[\[(](?:(?P<h>\d{1,2}):)?(?P<m>\d{1,2}):\d\d(?:[.,]\d{1,3})?[\])]"
    r"|(?P<hours>\d{1,2}):(?P<minutes>\d\d):\d\d(?:[.,]\d{1,3})?)[ \t]++(?:[-–][ \t]+)?(?=\S)"
)
FEWEST_MOMENTS, MOSTLY_MOMENTS = 3, 0.9  # lines, and a share of them
EARLY, LAST_HOUR, LONGEST_RECORDING = 2, 23, 5  # minutes, and hours; others are times of a day
FEWEST_SIGNS = 12  # of what is said at a time
SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")
BOM = "\ufeff"


@dataclass(slots=True)
class _Paragraph:
    """Lines up to the next blank one."""

    lines: list[Line] = field(default_factory=list)
    size: int = 0

    def add(self, line: Line, length: int) -> None:
        self.lines.append(line)
        self.size += length

    def is_full(self, length: int, most: int) -> bool:
        """Say whether it should end before a line of this length, as a piece of it would."""
        return self.size > most // 2 and self.size + length > most


def read(job: Job) -> Iterator[Item]:
    """Yield the passages of a plain text."""
    yield from _passages(split_lines(job.stream), {}, most=job.longest)


def read_markdown(job: Job) -> Iterator[Item]:
    """Yield the passages of a Markdown text; its front matter becomes metadata."""
    lines = split_lines(job.stream)
    matter, length = front_matter(job.head_text)
    for _ in range(length):
        line = next(lines)
        yield Gap(line.start, line.end)
    meta = {"front_matter": matter} if matter else {}
    apart, most = job.is_apart, job.longest
    yield from _passages(lines, meta, is_markdown=True, is_apart=apart, most=most)


def front_matter(head: str) -> tuple[dict[str, str], int]:
    """Return the front matter's simple fields and how many lines it takes; 0 when there is none."""
    lines = re.split(r"\r\n|\n|\r", head, maxsplit=FRONT_MATTER_LINES)
    if lines[0].lstrip(BOM).rstrip() != "---":
        return {}, 0
    ends = (n for n, line in enumerate(lines[:FRONT_MATTER_LINES]) if n and line.rstrip() == "---")
    end = next(ends, 0)
    fields = (line.partition(":") for line in lines[1:end])
    return {key.strip(): text.strip() for key, sign, text in fields if sign}, end + 1 if end else 0


def _passages(
    lines: Iterator[Line],
    meta: dict[str, Any],
    *,
    most: int,
    is_markdown: bool = False,
    is_apart: bool = False,
) -> Iterator[Item]:
    """Pack whole paragraphs greedily; only what is longer than a passage is divided.

    Kept apart, a heading below which enough was said begins a new one.
    """
    held = _Paragraph()
    heading = ""
    for part in _paragraphs(lines, most, is_markdown=is_markdown):
        if not isinstance(part, _Paragraph):
            yield from _flush(held, meta, heading, most)
            held = _Paragraph()
            yield part
            continue
        is_new = is_apart and held.size > FITTING_APART and _is_heading(part)
        if is_new or held.size + part.size > most:
            yield from _flush(held, meta, heading, most)
            heading = _last_heading(held, heading) if is_markdown else ""
            held = _Paragraph()
        held.lines += part.lines
        held.size += part.size
    yield from _flush(held, meta, heading, most)


def _paragraphs(
    lines: Iterator[Line], most: int, *, is_markdown: bool
) -> Iterator[_Paragraph | Problem | Gap]:
    """Yield paragraphs with the blank lines after them; inside a fence no blank line divides.

    One that is longer than a passage comes in parts that end at lines, so that no more than a
    passage and a line is ever held. Of more blank lines than that only their extent is kept.
    """
    held = _Paragraph()
    ended = fenced = False
    blanks: Gap | None = None
    for line in lines:
        if ended and held.size > most and _is_blank(line):
            blanks = Gap(blanks.start if blanks else line.start, line.end, "blank")
            continue
        if blanks:
            yield held
            yield blanks
            held, ended, blanks = _Paragraph(), False, None
        if line.data is None:
            yield held
            held = _Paragraph()
            yield _too_long(line)
            continue
        blank, length = _is_blank(line), len(decoded(line.data))
        is_over = ended and not (fenced and held.size < most)
        if not blank and (is_over or held.is_full(length, most)):
            yield held
            held = _Paragraph()
        ended = blank
        if is_markdown and FENCE.match(line.data):
            fenced = not fenced
        held.add(line, length)
    yield held
    if blanks:
        yield blanks


def _is_heading(part: _Paragraph) -> bool:
    return bool(HEADING.match(decoded(part.lines[0].data or b""))) if part.lines else False


def _is_blank(line: Line) -> bool:
    return line.data is not None and not line.data.strip()


def _too_long(line: Line) -> Problem:
    message = f"Line {line.number} is longer than 16 MiB."
    return Problem(line.start, line.end, line.number, 1, "too_long", message)


def _last_heading(held: _Paragraph, before: str) -> str:
    for line in reversed(held.lines):
        found = HEADING.match(decoded(line.data or b""))
        if found:
            return found[1].strip()
    return before


def _flush(held: _Paragraph, meta: dict[str, Any], heading: str, most: int) -> Iterator[Item]:
    """Yield the passage, or its pieces when it is one long paragraph, between its blank lines."""
    lines = held.lines
    first, last = 0, len(lines)
    while first < last and not (lines[first].data or b"").strip():
        first += 1
    while last > first and not (lines[last - 1].data or b"").strip():
        last -= 1
    yield from _blank(lines[:first])
    extra = {**meta, "heading": heading} if heading else meta
    if first < last:
        yield from _pieces(lines[first:last], extra, most)
    yield from _blank(lines[last:])


def _blank(lines: list[Line]) -> Iterator[Gap]:
    if lines:
        yield Gap(lines[0].start, lines[-1].end, "blank")


def _pieces(lines: list[Line], meta: dict[str, Any], most: int) -> Iterator[Record]:
    data = b"".join(line.data or b"" for line in lines)
    start = lines[0].start
    for piece in pieces(data.decode("utf-8", "replace"), most):
        raw = piece.encode()
        yield _record(start, start + len(raw), raw, meta)
        start += len(raw)


def pieces(text: str, most: int = LONGEST) -> Iterator[str]:
    """Yield a text in pieces of at most so many characters that end at lines, sentences or spaces.

    White space at the very end belongs to the last piece, however long it is.
    """
    start, filled = 0, len(text.rstrip())
    while start < len(text):
        is_last = filled <= start + most
        end = len(text) if is_last else start + _cut(text[start : start + most])
        yield text[start:end]
        start = end


def _cut(window: str) -> int:
    """Return where to end a piece of a text that goes on behind this window."""
    line_end = max(window.rfind("\n"), window.rfind("\r")) + 1
    if line_end > len(window) // 2:
        return line_end
    sentence = max((found.end() for found in SENTENCE_END.finditer(window)), default=0)
    return sentence or window.rfind(" ") + 1 or len(window)


def _record(start: int, end: int, raw: bytes, meta: dict[str, Any]) -> Record:
    text = decoded(raw).removesuffix("\n").removeprefix(BOM)
    told = _without_moments(text)
    turns, notes = clean_turns((Turn(PASSAGE, told),))
    gone = () if told == text else ("the times before its lines were left out",)
    return Record(start, end, turns, (*gone, *notes), meta)


def _is_prose(text: str) -> bool:
    """Say whether most lines with a time end as sentences do, and have some words."""
    said = [MOMENT.sub("", line).strip() for line in text.split("\n") if MOMENT.match(line)]
    ended = [line for line in said if line.endswith(tuple(".!?…。！？؟।,"))]
    return 2 * len(ended) > len(said) and sum(map(len, said)) >= FEWEST_SIGNS * len(said)


def _without_moments(text: str) -> str:
    """Return a text without the times of a recording before its lines."""
    found = list(MOMENT.finditer(text))
    filled = sum(bool(line.strip()) for line in text.split("\n")) if found else 0
    if len(found) < max(FEWEST_MOMENTS, MOSTLY_MOMENTS * filled):
        return text
    hours = {int(one["h"] or one["hours"] or 0) for one in found}
    minutes = [int(one["m"] or one["minutes"]) for one in found]
    has_seconds = any(one["h"] or one["hours"] for one in found)
    is_early = minutes[0] < EARLY and minutes == sorted(minutes) and _is_prose(text)
    is_recording = has_seconds or is_early or max(minutes) > LAST_HOUR
    return MOMENT.sub("", text) if is_recording and max(hours) < LONGEST_RECORDING else text
