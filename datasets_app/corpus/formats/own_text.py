"""The text that OTTO writes for people: labelled turns, whose further lines are indented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing import own
from datasets_app.corpus.parsing.lines import split_lines
from datasets_app.corpus.readers.job import Job, decoded, sample
from datasets_app.corpus.readers.talk import Talk
from datasets_app.corpus.source import Gap, Item, Problem

RULE = re.compile(r"\A--- (?P<number>\d{1,19})(?: ·[^\n]*)?\Z")
LABEL = re.compile(
    r"\A(?P<who>[A-Z][a-z]{1,20}|\"(?:[^\"\\]++|\\.)*+\")"
    r"(?P<mark> \(not learnt\))?: ?(?P<text>.*)\Z",
    re.DOTALL,
)


def tell(head: TextHead) -> str | None:
    """Say why a text was written by OTTO."""
    return "OTTO wrote it" if head.text.startswith(own.TEXT_HEAD) else None


def read(job: Job) -> Iterator[Item]:
    """Yield the conversations; what a person added without indenting it goes on the turn before."""
    talk: Talk | None = None
    blank = 0
    for line in split_lines(job.stream):
        text = decoded(line.data or b"").removesuffix("\n")
        rule = RULE.match(text)
        if rule or talk is None or talk.is_full:
            yield from talk.item(talk.turns()) if talk else ()
            talk, blank = None, 0
        if rule:
            talk = Talk(meta={own.KEY: {"row": int(rule["number"])}})
        elif talk is None:
            yield _outside(line.start, line.end, line.number, text)
            continue
        elif not text:
            blank += 1
        else:
            _add(talk, text, blank)
            blank = 0
        talk.cover(line.start, line.end, line.number)
    yield from talk.item(talk.turns()) if talk else ()


def _add(talk: Talk, text: str, blank: int) -> None:
    """Add a line: somebody begins to speak, or goes on after blank lines."""
    found = LABEL.match(text)
    if found:
        who = found["who"]
        role = who.casefold()
        with suppress(ValueError):
            role = str(json.loads(who)) if who.startswith('"') else role
        talk.begin(role, found["text"], is_learnt=not found["mark"])
    elif talk.said:
        talk.said[-1][1].extend([*[""] * blank, text.removeprefix(own.INDENT)])


def _outside(start: int, end: int, line: int, text: str) -> Item:
    if not text.strip() or text.startswith(own.TEXT_HEAD):
        return Gap(start, end)
    message = f"Line {line}: nobody speaks here."
    return Problem(start, end, line, 1, "missing_role", message, sample(text))


FORMAT = Format(
    kind="own_text",
    name="a text that OTTO wrote",
    fits=("txt",),
    reader=Reader("own text", 1, read),
    of_text=tell,
)
