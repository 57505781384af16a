"""Transcripts: labelled lines become turns; questions and answers become pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from datasets_app.corpus.chunks.headings import no_headings
from datasets_app.corpus.detection.text_head import LINE_END, TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.parsing import tables, transcripts
from datasets_app.corpus.parsing.chat_lines import DAY_LINE
from datasets_app.corpus.parsing.greetings import asks
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.transcripts import Speakers, Talk
from datasets_app.corpus.readers import passages
from datasets_app.corpus.readers.job import Job, clean_turns, decoded, sample
from datasets_app.corpus.readers.rows import Rows, RowSpan
from datasets_app.corpus.readers.threads import Message
from datasets_app.corpus.roles import QUESTION_LABELS
from datasets_app.corpus.source import Gap, Item, Problem, Record

# After the first pause a question begins a new talk, after the second whatever is said, but only
# after the third where an answer is awaited. Chosen by hand.
PAUSE_SECONDS, DAY_SECONDS, WEEK_SECONDS = 6 * 3600.0, 24 * 3600.0, 7 * 24 * 3600.0
AFTER_PAUSE = "it begins after more than six hours without a message"
LARGEST_RECORD, LONGEST_NAMES = 1 << 20, 500
RULE = re.compile(r"\A\s*+(?:-{3,}+|={3,}+|\*{3,}+|_{3,}+|~{3,}+|#{3,}+)\s*+\Z")
# A title of the next one: between rules, or a word for a talk with its number.
TITLE = re.compile(
    r"\A\s*+(?:(?:={2,40}|-{2,40}|\*{2,40}|_{2,40}|~{2,40}|\#{2,40})\s?[^\s=*_~#-][^\n=*_~#]{0,80}"
    r"(?:={2,40}|-{2,40}|\*{2,40}|_{2,40}|~{2,40}|\#{2,40})"
    r"|(?:\#{1,6}\s|\*\*|\[)?(?:chat|conversation|dialog(?:ue)?|call|session|ticket|case|transcript"
    r"|thread|talk|gespräch|unterhaltung|anruf|konversation|vorgang|conversación|llamada|diálogo"
    r"|appel|conversazione|chiamata|conversa|chamada|gesprek|rozmowa|разговор|диалог|对话|会话|会話)"
    r"(?:\s?(?:id|no|nr|number|nummer|número|numéro|numero)\b\.?)?\s?[:：#]?\s?\#?"
    r"(?:[a-z]{1,6}[-_])?\d[\w-]{0,40}(?:\*\*|\])?:?)\s*+\Z",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Open:
    """The conversation being read, and the bytes and the line it begins with."""

    talk: Talk = field(default_factory=Talk)
    start: int = 0
    end: int = 0
    line: int = 1
    heard: float | None = None
    """When the last message was written, in seconds, if that is known."""
    note: str = ""


def tell(head: TextHead) -> str | None:
    """Say why a text is a transcript; one in the cells of a table is none."""
    if tables.has_long_cells(head.text, head.layout):
        return None
    speakers = speakers_of(head.text)
    return f"{len(speakers.counts)} speakers take turns in it" if speakers else None


def speakers_of(text: str) -> Speakers | None:
    """Return who speaks in a text, or None when it is no transcript."""
    lines = LINE_END.split(transcripts.one_turn_per_line(text))
    shown = (line for line in lines if not TITLE.match(line[:200]))
    return transcripts.find_speakers(shown, is_file=True)


def read(job: Job) -> Iterator[Item]:
    """Yield one record per call: a ruled line, or a new question in a list, begins the next."""
    speakers = speakers_of(job.head_text)
    if speakers is None:
        yield from passages.read(job)
        return
    held = _Open(Talk(job.roles, is_doubtful=speakers.is_doubtful))
    table: Rows | None = None
    for line in split_lines(job.stream):
        if line.data is None or not line.data.strip():
            yield from _between(line, held)
            continue
        shown = decoded(line.data)
        if begun := _table_of_pairs(shown):
            yield from _close(held)
            held, table = _Open(transcripts.anew(held.talk)), begun
            yield Gap(line.start, line.end)
            continue
        if table and (row := _row(shown, table)):
            place = RowSpan(line.start, line.end, line.number)
            yield from (item for item in table.items(row, place) if not isinstance(item, Message))
            continue
        table = None
        if following := _next(shown, held, speakers, job):
            yield from _close(held)
            held = following
        if not held.end:
            held.start, held.line = line.start, line.number
        for part in transcripts.one_turn_per_line(shown).split("\n"):
            transcripts.add_line(held.talk, part, speakers)
        held.end = line.end
    yield from _close(held)


def _next(line: str, held: _Open, speakers: Speakers, job: Job) -> _Open | None:
    """Return the conversation that begins with this line, if the one before it is over."""
    if (held.talk.said or held.talk.last) and _begins_anew(line, speakers):
        return _Open(transcripts.anew(held.talk))
    if not job.is_whole and _follows_pause(line, held, speakers):
        return _Open(transcripts.after(held.talk), heard=held.heard, note=AFTER_PAUSE)
    if _is_full(line, held, speakers):
        return _Open(transcripts.carried(held.talk))
    return None


def _table_of_pairs(line: str) -> Rows | None:
    """Return how to read the rows below a line that names a column of questions and of answers.

    So a table stands in the text of a document. What is in it nobody says in the talk above.
    """
    if " | " not in line or len(line) > LONGEST_NAMES:
        return None
    names = tables.column_names(line.split(" | "))
    found = tables.certain_mapping(names, None)
    return Rows(found, names) if found and found.question and found.answer else None


def _row(line: str, table: Rows) -> dict[str, str] | None:
    cells = [cell.strip() for cell in line.split(" | ")]
    return (
        dict(zip(table.columns, cells, strict=True)) if len(cells) == len(table.columns) else None
    )


def _between(line: Line, held: _Open) -> Iterator[Item]:
    """Account for a blank or oversized line; blank lines inside a call belong to it."""
    if line.data is None:
        yield from _close(held)
        held.talk, held.start, held.end = transcripts.carried(held.talk), 0, 0
        message = f"Line {line.number} is longer than 16 MiB."
        yield Problem(line.start, line.end, line.number, 1, "too_long", message)
    elif not held.end:
        yield Gap(line.start, line.end, "blank")


def _begins_anew(line: str, speakers: Speakers) -> bool:
    if RULE.match(line) or (TITLE.match(line[:200]) and not DAY_LINE.match(line[:120])):
        return True
    found = transcripts.labelled(line)
    if found and found.label in speakers.dividers:
        return True
    if found is None or found.label not in speakers.counts:
        return False
    return speakers.is_question_list and found.label in QUESTION_LABELS


def _follows_pause(line: str, held: _Open, speakers: Speakers) -> bool:
    """Say whether somebody asks anew long after the last message; the time is kept."""
    found = transcripts.labelled(line) if speakers.clock else None
    now = speakers.clock(found.stamp) if speakers.clock and found and found.stamp else None
    if found is None or now is None or not speakers.speaks(found):
        return False
    before, held.heard = held.heard, now
    pause = now - before if before is not None else 0.0
    if pause <= PAUSE_SECONDS or not transcripts.opens_anew(held.talk, found.label):
        return False
    if transcripts.is_asked(held.talk):
        return pause > WEEK_SECONDS
    return pause > DAY_SECONDS or asks(found.text)


def _is_full(line: str, held: _Open, speakers: Speakers) -> bool:
    """Say whether a piece ends here: before another speaker if one comes soon, or anywhere."""
    size = held.end - held.start
    found = transcripts.labelled(line) if size > LARGEST_RECORD and held.talk.said else None
    changes = found and found.label in speakers.counts and found.label != held.talk.said[-1][0]
    return bool(changes) or size > 2 * LARGEST_RECORD


def _close(held: _Open) -> Iterator[Item]:
    """Yield what was read as one record; text without any speaker is a passage of its own."""
    if not held.end:
        return
    heading = "\n".join(held.talk.heading)
    if not held.talk.said:
        message = f"Line {held.line}: nobody speaks here."
        place = (held.start, held.end, held.line, 1)
        yield Problem(*place, "missing_role", message, sample(heading))
        return
    turns, notes = transcripts.finish(held.talk)
    turns, more = clean_turns(turns)
    meta = {"heading": heading} if heading else {}
    begun = (held.note,) if held.note else ()
    yield Record(held.start, held.end, turns, (*begun, *notes, *more), meta)


FORMAT = Format(
    kind="transcript",
    name="a talk with the names of who speaks",
    fits=("txt", "md"),
    reader=Reader("transcript", 10, read),
    prose=Prose(no_headings),
    of_text=tell,
)
