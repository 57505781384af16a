"""The table that OTTO writes: one turn in each line, and no cell that is a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import table
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing import own
from datasets_app.corpus.parsing.lines import split_lines
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.talk import Talk
from datasets_app.corpus.source import Gap, Item, Problem

HEADER = re.compile(rf'\ufeff?"?{own.ROW}"?(?P<sign>[,;\t|])')
TOLD = ("split", "status", "decision", "tags", "source")


def tell(head: TextHead) -> str | None:
    """Say why a text is a table that OTTO wrote."""
    return "OTTO wrote it" if HEADER.match(head.text) else None


def read(job: Job) -> Iterator[Item]:
    """Yield a conversation for each run of lines that name the same row."""
    found = HEADER.match(job.head_text)
    rows = table.rows(split_lines(job.stream), found["sign"] if found else ",")
    columns: list[str] = []
    talk, now = Talk(), ""
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        if not columns:
            columns = [cell.strip("\ufeff ") for cell in row.cells]
            yield Gap(row.start, row.end)
            continue
        cells = dict(zip(columns, row.cells, strict=False))
        if not any(row.cells):
            yield from talk.item(talk.turns())
            talk, now = Talk(), ""
            yield Gap(row.start, row.end, "blank")
            continue
        if cells.get(own.ROW, "") != now or talk.is_full:
            yield from talk.item(talk.turns())
            talk, now = Talk(meta=_meta(cells)), cells.get(own.ROW, "")
        _add(talk, cells)
        talk.cover(row.start, row.end, row.line)
    yield from talk.item(talk.turns())


def _meta(cells: dict[str, str]) -> dict[str, object]:
    told = {name: own.unguarded(cells[name]) for name in TOLD if cells.get(name)}
    return {own.KEY: {"row": cells.get(own.ROW, ""), **told}}


def _add(talk: Talk, cells: dict[str, str]) -> None:
    role = own.unguarded(cells.get("role", "")).replace("\0", "")
    if role:
        text = own.unguarded(cells.get("text", ""))
        talk.begin(role, text, is_learnt=cells.get("weight") != "0")


FORMAT = Format(
    kind="own_table",
    name="a table that OTTO wrote",
    fits=("csv", "tsv"),
    reader=Reader("own table", 1, read),
    of_text=tell,
)
