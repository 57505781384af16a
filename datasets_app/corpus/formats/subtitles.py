"""Subtitles (SubRip, WebVTT, SBV): what is said, by speaker where speakers are named.

Times become metadata. A line that the next cue repeats, as rolling captions do, is read once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from datasets_app.corpus.conversation import PASSAGE, Turn
from datasets_app.corpus.detection.text_head import LINE_END, TextHead
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing import transcripts
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.transcripts import Speakers, Talk
from datasets_app.corpus.readers.job import Job, clean_turns, decoded
from datasets_app.corpus.readers.passages import LONGEST, pieces
from datasets_app.corpus.source import Gap, Item, Problem, Record

# Blanks inside a line only: one that crossed lines would be tried at each of them.
CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d\d[.,]\d{1,3}"
CUE = re.compile(rf"(?m)^[ \t]*+({CLOCK})[ \t]*+(?:-->|,)[ \t]*+({CLOCK})")
VOICE = re.compile(r"<v(?:\.[\w.\-]{1,80})?[ \t]+([^<>\n]{1,80})>")
TAG = re.compile(r"<[^<>\n]{0,80}>|\{\\[^{}\n]{0,80}\}")
LARGEST_TALK = 1 << 20
BOM = "\ufeff"


@dataclass(slots=True)
class _Held:
    """The cues that will be one record, and the bytes they cover."""

    talk: Talk = field(default_factory=Talk)
    words: list[str] = field(default_factory=list)
    size: int = 0
    start: int = 0
    end: int = 0
    times: list[str] = field(default_factory=list)


def tell(head: TextHead) -> str | None:
    """Say why a text is a subtitle file."""
    if head.text.startswith("WEBVTT"):
        return "it begins with WEBVTT"
    return "it has the timing lines of subtitles" if CUE.search(head.text[:2000]) else None


def read(job: Job) -> Iterator[Item]:
    """Yield one conversation for named speakers, or else passages; what is no cue is a gap."""
    lines = [line for line in LINE_END.split(job.head_text) if not CUE.match(line)]
    speakers = transcripts.find_speakers([said(line) for line in lines if not line.isdigit()])
    most = LARGEST_TALK if speakers else LONGEST
    held = _Held()
    before = ""
    for block in _blocks(split_lines(job.stream)):
        start, end = block[0].start, block[-1].end
        times, words = _cue(block)
        if not times:
            yield from _flush(held, speakers)
            held = _Held()
            yield from _other(block)
            continue
        fresh = [text for text in words if text and text != before]
        before = words[-1] if words else before
        size = sum(map(len, fresh))
        if held.size and held.size + size > most:
            yield from _flush(held, speakers)
            held = _Held()
        held.start = held.start if held.times else start
        held.end, held.size = end, held.size + size + 1
        held.times += times
        for text in fresh:
            if speakers:
                transcripts.add_line(held.talk, text, speakers)
            held.words.append(text)
    yield from _flush(held, speakers)


def said(line: str) -> str:
    """Return what a line of a cue says: without tags, its voice as a label."""
    text = TAG.sub("", VOICE.sub(r"\1: ", line))
    return html.unescape(text).strip()


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Yield lines up to the next blank one, with the blank ones behind them."""
    held: list[Line] = []
    is_over = False
    for line in lines:
        is_blank = line.data is not None and not line.data.strip()
        if (is_over and not is_blank) or (line.data is None and held):
            yield held
            held = []
        is_over = is_blank or line.data is None
        held.append(line)
    if held:
        yield held


def _cue(block: list[Line]) -> tuple[list[str], list[str]]:
    """Return when a cue begins and ends and what its lines say; no times for another block."""
    texts = [decoded(line.data or b"").removeprefix(BOM) for line in block]
    for number, text in enumerate(texts[:2]):  # a name or number may stand above the times
        if found := CUE.match(text):
            below = (text for text in texts[number + 1 :] if text.strip() and not CUE.match(text))
            return [found[1], found[2]], [said(text) for text in below]
    return [], []


def _other(block: list[Line]) -> Iterator[Item]:
    """Account for a header, a note, or text without times."""
    first, start, end = block[0], block[0].start, block[-1].end
    if first.data is None:
        message = f"Line {first.number} is longer than 16 MiB."
        yield Problem(start, end, first.number, 1, "too_long", message)
        return
    text = decoded(first.data).removeprefix(BOM)
    if not text.strip() or text.startswith(("WEBVTT", "NOTE", "STYLE", "REGION")):
        yield Gap(start, end, "structure" if text.strip() else "blank")
        return
    message = f"Line {first.number}: no times stand above this text."
    yield Problem(start, end, first.number, 1, "unknown_shape", message, text[:120])


def _flush(held: _Held, speakers: Speakers | None) -> Iterator[Item]:
    if not held.times:
        return
    meta = {"from": held.times[0], "to": held.times[-1]}
    if held.talk.said:
        turns, notes = transcripts.finish(held.talk)
        turns, more = clean_turns(
            tuple(Turn(turn.role, turn.text.replace("\n", " ")) for turn in turns)
        )
        yield Record(held.start, held.end, turns, notes + more, meta)
    elif held.words:
        yield from _passages(held, " ".join(held.words), meta)
    else:
        yield Gap(held.start, held.end)


def _passages(held: _Held, text: str, meta: dict[str, str]) -> Iterator[Record]:
    """Divide what one cue says when it alone is too long; the pieces share its bytes evenly."""
    found = list(pieces(text))
    size = held.end - held.start
    for number, piece in enumerate(found):
        turns, notes = clean_turns((Turn(PASSAGE, piece.strip()),))
        start = held.start + size * number // len(found)
        end = held.start + size * (number + 1) // len(found)
        yield Record(start, end, turns, notes, dict(meta))


FORMAT = Format(
    kind="subtitle",
    name="a subtitle file",
    endings=("srt", "vtt", "sbv"),
    reader=Reader("subtitles", 1, read),
    of_text=tell,
)
