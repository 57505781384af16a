"""Rows of a table as language: questions and answers, sentences, lines, JSON or a template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.cells import is_number, named, spelled, tidy, truth
from datasets_app.corpus.parsing.templates import Template

WAYS = {
    "questions": "a question and an answer for each cell",
    "sentences": "one question, the row in sentences",
    "lines": "one question, the row as lines “name: value”",
    "json": "one question, the row as JSON",
    "template": "my own words",
}
ASKS = "What is known about {}?"
_OF_IDS = re.compile(r"(?:\A|[ _-])(?:id|no|nr|number|code|key|uuid|nummer)\Z", re.IGNORECASE)
Cells = Mapping[str, str]
Exchange = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Telling:
    """How rows are put into language; `key` is the column that names what a row is about."""

    way: str
    key: str
    asks: Template | None = None
    answer: Template | None = None

    @classmethod
    def of(
        cls, way: str, columns: Sequence[str], key: str | None, asks: str | None, answer: str | None
    ) -> Telling:
        """Return it; raises CorpusError for a way, a column or a sign that is not there."""
        if way not in WAYS:
            raise CorpusError(f"Rows are told in one of these ways: {', '.join(WAYS)}.")
        if way == "template" and not (asks and answer):
            raise CorpusError("Write both a question and an answer, with {{columns}} in them.")
        if way != "template" and not key:
            raise CorpusError("Choose the column that names what each row is about.")
        asked = Template.of(asks, columns) if asks and way != "questions" else None
        told = Template.of(answer, columns) if answer and way == "template" else None
        return cls(way, key or "", asked, told)

    def exchanges(self, cells: Cells) -> list[Exchange]:
        """Return the questions and answers of a row; none where too little is filled in."""
        if self.answer and self.asks:
            asked, told = self.asks.filled(cells), self.answer.filled(cells)
            return [(asked, told)] if asked and told else []
        name = tidy(cells.get(self.key, ""))
        facts = {column: cell for column, cell in cells.items() if column != self.key}
        facts = {column: told for column, cell in facts.items() if (told := tidy(cell))}
        if not name or not facts:
            return []
        subject = _subject(self.key, name)
        if self.way == "questions":
            return [_question(column, cell, subject) for column, cell in facts.items()]
        asked = self.asks.filled(cells) if self.asks else ASKS.format(subject)
        return [(asked, _TOLD[self.way](self.key, name, facts))] if asked else []


def _subject(key: str, name: str) -> str:
    """Return what a row is about: a bare number or code needs the word of its column."""
    what = _OF_IDS.sub("", named(key)).strip()
    is_code = is_number(name) or what != named(key)
    return f"{what or named(key)} {name}" if is_code else name


def _question(column: str, cell: str, subject: str) -> Exchange:
    what, is_true = named(column), truth(cell)
    is_many = _is_plural(what)
    if is_true is None:
        is_or_are = "are" if is_many else "is"
        told = spelled(column, cell)
        return f"What {is_or_are} the {what} of {subject}?", f"{_statement(what, subject, told)}"
    does, applies = ("Do", "apply") if is_many else ("Does", "applies")
    asked = f"{does} {what} apply to {subject}?"
    if is_true:
        return asked, f"Yes, {what} {applies} to {subject}."
    return asked, f"No, {what} {does.casefold()} not apply to {subject}."


def _statement(what: str, subject: str, told: str) -> str:
    end = "" if told.endswith((".", "!", "?", "。")) else "."
    return f"The {what} of {subject} {'are' if _is_plural(what) else 'is'} {told}{end}"


def _is_plural(what: str) -> bool:
    return what.endswith("s") and not what.endswith(("ss", "us", "is"))


def _sentences(key: str, name: str, facts: Cells) -> str:
    subject = _subject(key, name)
    told = (_question(column, cell, subject)[1] for column, cell in facts.items())
    return " ".join(re.sub(r"\A(?:Yes|No), (.)", lambda m: m[1].upper(), one) for one in told)


def _lines(key: str, name: str, facts: Cells) -> str:
    rows = [f"{named(key)}: {name}"]
    rows += [f"{named(column)}: {spelled(column, cell)}" for column, cell in facts.items()]
    return "\n".join(rows)


def _json(key: str, name: str, facts: Cells) -> str:
    return json.dumps({key: name, **facts}, ensure_ascii=False)


_TOLD: dict[str, Callable[[str, str, Cells], str]] = {
    "sentences": _sentences,
    "lines": _lines,
    "json": _json,
}


def likely_key(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Return the column that names a row: of those with another value in each, a name at best."""
    distinct = []
    for place, column in enumerate(columns):
        cells = [tidy(row[place]) if place < len(row) else "" for row in rows]
        if cells and all(cells) and len(set(cells)) == len(cells):
            distinct.append((column, cells))
    names = [column for column, _ in distinct if re.search(r"name|title", column, re.IGNORECASE)]
    codes = [column for column, _ in distinct if _OF_IDS.search(named(column))]
    words = [column for column, cells in distinct if not any(map(is_number, cells))]
    return next(iter((*names, *codes, *words, *(column for column, _ in distinct))), None)
