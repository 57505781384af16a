"""Subtitles (SubRip, WebVTT, SBV): what is said, by speaker where speakers are named.

Times become metadata. A line that the next cue repeats, as rolling captions do, is read once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from datasets_app.corpus.chunks.headings import no_headings
from datasets_app.corpus.conversation import PASSAGE, Turn
from datasets_app.corpus.detection.text_head import LINE_END, TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.parsing import transcripts
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.transcripts import Speakers, Talk
from datasets_app.corpus.parsing.view import ByteStream
from datasets_app.corpus.readers.job import LONGEST, Job, clean_turns, decoded, sample
from datasets_app.corpus.readers.passages import pieces
from datasets_app.corpus.source import Gap, Item, Problem, Record

CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?"
CLOCK_OF_SBV = r"(?:\d{1,3}:)?\d{1,2}:\d\d\.\d{1,3}"
CUE = re.compile(
    rf"\A[ \t]*+(?:({CLOCK})[ \t]*+-->[ \t]*+({CLOCK})(?=[ \t\n]|\Z)"
    rf"|({CLOCK_OF_SBV}),({CLOCK_OF_SBV})[ \t]*+(?=\n|\Z))"
)
ASIDE = re.compile(r"\A(?:WEBVTT|NOTE|STYLE|REGION)(?=[ \t\n]|\Z)")
VOICE = re.compile(r"<v(?:\.[\w.\-]{1,80})?[ \t]+([^<>\n]{1,80})>")
TAG = re.compile(r"<[^<>\n]{0,80}>|\{\\[^{}\n]{0,80}\}")
LARGEST_TALK, MOST_LINES = 1 << 20, 10_000
LOOKED_AT = 20_000
LEAST_NAMED = 0.5  # of the lines, chosen by hand
BOM = "\ufeff"


@dataclass(slots=True)
class _Block:
    """Lines up to the next blank one or the next times, and the blank ones behind them."""

    lines: list[Line]
    times: tuple[str, str] | None = None
    is_aside: bool = False
    is_over: bool = False

    @property
    def is_full(self) -> bool:
        size = self.lines[-1].end - self.lines[0].start
        return size > LARGEST_TALK or len(self.lines) > MOST_LINES

    def give_up_label(self) -> list[Line]:
        """Take out the line above the next times if it is the number or the name of that cue."""
        above = _text(self.lines[-1]).strip()
        is_name = len(self.lines) == 1 and self.times is None and not self.is_aside
        return [self.lines.pop()] if above and (above.isdigit() or is_name) else []


@dataclass(slots=True)
class _Held:
    """The cues that will be one record, and the bytes they cover."""

    talk: Talk = field(default_factory=Talk)
    words: list[str] = field(default_factory=list)
    size: int = 0
    start: int = 0
    end: int = 0
    times: tuple[str, str] | None = None

    def add(self, block: _Block, times: tuple[str, str], texts: list[str], size: int) -> None:
        self.start = self.start if self.times else block.lines[0].start
        self.end, self.size = block.lines[-1].end, self.size + size + 1
        self.times = (self.times or times)[0], times[1]
        self.words += texts


def tell(head: TextHead) -> str | None:
    """Say why a text is a subtitle file: most of its blocks begin with times, and text follows."""
    if head.text.startswith("WEBVTT"):
        return "it begins with WEBVTT"
    lines = LINE_END.split(head.text[:LOOKED_AT])
    blocks = [
        list(block) for filled, block in groupby(lines, lambda line: bool(line.strip())) if filled
    ]
    cues = sum(map(_is_cue, blocks))
    if cues and (2 * cues > len(blocks) or head.ending in FORMAT.endings):
        return "it has the timing lines of subtitles"
    return None


def _is_cue(lines: list[str]) -> bool:
    """Say whether times begin these lines, perhaps under a number or name, and text ends them."""
    return any(map(CUE.match, lines[:2])) and not CUE.match(lines[-1])


def read(job: Job) -> Iterator[Item]:
    """Yield one conversation for named speakers, or else passages; what is no cue is a gap."""
    texts = [text for line in _shown(LINE_END.split(job.head_text)) for text in said(line)]
    speakers = transcripts.find_speakers(texts) or _each_named(texts)
    most = LARGEST_TALK if speakers else LONGEST
    held = _Held(Talk(job.roles))
    before = ""
    for block in _blocks(split_lines(job.stream)):
        if block.times is None:
            yield from _flush(held, speakers)
            held = _Held(transcripts.carried(held.talk))
            yield from _other(block)
            continue
        words = _words(block)
        fresh = [text for text in words if text != before]
        before = words[-1] if words else before
        size = sum(map(len, fresh))
        if held.size and held.size + size > most:
            yield from _flush(held, speakers)
            held = _Held(transcripts.carried(held.talk))
        held.add(block, block.times, fresh, size)
        if speakers:
            for text in fresh:
                transcripts.add_line(held.talk, text, speakers)
    yield from _flush(held, speakers)


def _shown(lines: list[str]) -> Iterator[str]:
    """Yield the lines that are shown: no times, nor what stands above them, nor what is aside."""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not (CUE.match(line) or CUE.match(below) or ASIDE.match(line) or line.isdigit()):
            yield line


def parts(stream: ByteStream) -> Iterator[tuple[str, str]]:
    """Yield what each cue says that the one before it does not, a line each, with its time."""
    before = ""
    for block in _blocks(split_lines(stream)):
        words = _words(block) if block.times else []
        fresh = [text for text in words if text != before]
        before = words[-1] if words else before
        if fresh and block.times:
            yield "".join(f"{text}\n" for text in fresh), block.times[0]


def _each_named(texts: list[str]) -> Speakers | None:
    """Return who speaks in cues of which most name somebody, though perhaps once each."""
    named = sum(transcripts.labelled(text) is not None for text in texts)
    is_named = named >= LEAST_NAMED * len(texts)
    return transcripts.find_speakers(texts, are_timed=True) if is_named else None


def said(line: str) -> list[str]:
    """Return what a line of a cue says: without tags, each voice with its label."""
    texts = TAG.sub("", VOICE.sub(r"\n\1: ", line)).split("\n")
    return [text for text in (html.unescape(text).strip() for text in texts) if text]


def _blocks(lines: Iterator[Line]) -> Iterator[_Block]:
    """Yield the lines in blocks; one without an end comes in parts of the same kind."""
    held: _Block | None = None
    for line in lines:
        text = _text(line)
        is_blank = line.data is not None and not text.strip()
        if found := CUE.match(text):
            label = held.give_up_label() if held else []
            if held and held.lines:
                yield held
            held = _Block([*label, line], times=(found[1] or found[3], found[2] or found[4]))
        elif held is None or line.data is None or (held.is_over and not is_blank):
            if held:
                yield held
            held = _Block([line], is_aside=bool(ASIDE.match(text)), is_over=line.data is None)
        elif held.is_full:
            yield held
            held = _Block([line], held.times, held.is_aside)
        else:
            held.lines.append(line)
        held.is_over = held.is_over or is_blank
    if held:
        yield held


def _text(line: Line) -> str:
    return decoded(line.data or b"").removeprefix(BOM)


def _words(block: _Block) -> list[str]:
    """Return what stands below the times of a cue."""
    texts = [_text(line) for line in block.lines]
    at = next((number for number, text in enumerate(texts[:2], 1) if CUE.match(text)), 0)
    return [text for line in texts[at:] for text in said(line)]


def _other(block: _Block) -> Iterator[Item]:
    """Account for a header, a note, or text without times."""
    first, start, end = block.lines[0], block.lines[0].start, block.lines[-1].end
    text = _text(first)
    if first.data is None:
        message = f"Line {first.number} is longer than 16 MiB."
        yield Problem(start, end, first.number, 1, "too_long", message)
    elif block.is_aside or not text.strip():
        yield Gap(start, end, "structure" if text.strip() else "blank")
    else:
        message = f"Line {first.number}: no times stand above this text."
        yield Problem(start, end, first.number, 1, "unknown_shape", message, sample(text))


def _flush(held: _Held, speakers: Speakers | None) -> Iterator[Item]:
    if not held.times:
        return
    meta = {"from": held.times[0], "to": held.times[1]}
    if held.talk.said:
        if held.talk.heading:
            meta["heading"] = "\n".join(held.talk.heading)
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
    reader=Reader("subtitles", 6, read),
    prose=Prose(no_headings, parts=parts),
    of_text=tell,
)
