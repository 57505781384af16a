"""CSV and TSV: one record per row, once it is known what the columns are."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing import tables, telling, transcripts
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.readers import threads
from datasets_app.corpus.readers.job import Job, sample
from datasets_app.corpus.readers.rows import Rows, RowSpan
from datasets_app.corpus.source import Gap, Item, Mapping, Problem, Waiting, WaitingError

TITLE_ROWS = 10  # in which the names of columns are looked for
ROWS_SHOWN = 10
TALKS_LOOKED_AT, LONGEST_LOOKED_AT, MOST_TALKS = 20, 20_000, 0.5  # rows, signs and a share of them


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one record and the bytes and line it stands at."""

    cells: list[str]
    start: int
    end: int
    line: int


class _Feed:
    """Lines for the csv module that remembers how far it has read."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.end = 0
        self.line = 1
        self.quotes = 0
        self.is_done = False
        self.is_too_long = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.end, self.line = line.end, line.number + 1
            text = (line.data or b"").decode("utf-8", "replace")
            self.quotes += text.count('"')
            self.is_too_long = line.data is None
            yield text.replace("\0", "")
        self.is_done = True


def rows(
    lines: Iterator[Line], delimiter: str, start: int = 0, line: int = 1
) -> Iterator[Row | Problem]:
    """Yield the rows of a table; what cannot be read is a problem at its opening line."""
    csv.field_size_limit(tables.LONGEST_FIELD)
    feed = _Feed(lines)
    reader = csv.reader(iter(feed), delimiter=delimiter)
    while True:
        feed.quotes = 0
        try:
            cells = next(reader, None)
        except csv.Error:
            yield _unreadable(feed, start, line)
        else:
            if cells is None:
                return
            yield _row_or_problem(feed, cells, start, line)
        start, line = feed.end, feed.line


def _row_or_problem(feed: _Feed, cells: list[str], start: int, line: int) -> Row | Problem:
    if feed.is_too_long:
        message = f"Line {line} is longer than 16 MiB."
        return Problem(start, feed.end, line, 1, "too_long", message)
    if feed.is_done and feed.quotes % 2 and feed.line > line + 1:
        return _unclosed(feed, start, line)
    return Row(cells, start, feed.end, line)


def _unreadable(feed: _Feed, start: int, line: int) -> Problem:
    message = f"A cell that opens in line {line} is longer than 1 MiB."
    return Problem(start, feed.end, line, 1, "long_field", message)


def _unclosed(feed: _Feed, start: int, line: int) -> Problem:
    message = f"A quotation mark that opens in line {line} is never closed; the rows after it"
    return Problem(start, feed.end, line, 1, "unclosed_quote", f"{message} were not loaded.")


def read(job: Job) -> Iterator[Item]:
    """Yield the rows as conversations or passages; raises WaitingError for unknown columns."""
    delimiter, header, table = _opened(job)
    if header is None:
        return
    if isinstance(header, Problem):
        yield header
        yield from map(_without_header, table)
        return
    columns = tables.column_names(header.cells)
    mapping, table = _meaning(job, columns, delimiter, table)
    if mapping is None:
        raise WaitingError(_waiting(columns, table, delimiter))
    if header.end:
        yield Gap(0, header.end)
    first = list(itertools.islice(table, TALKS_LOOKED_AT)) if mapping.text else []
    cells = [row.cells for row in first if isinstance(row, Row)]
    place = columns.index(mapping.text) if mapping.text in columns else None
    is_sure = bool(job.columns) or (place is not None and _are_talks(cells, place))
    made, table = Rows(mapping, columns, job.roles, is_sure), itertools.chain(first, table)
    yield from threads.joined(_told(table, columns, made), job.roles)


def _meaning(
    job: Job, columns: tuple[str, ...], delimiter: str, table: Iterator[Row | Problem]
) -> tuple[Mapping | None, Iterator[Row | Problem]]:
    """Return what the columns are, if that is known, and the rows: some had to be looked at."""
    certain = tables.certain_mapping(columns, delimiter)
    if job.columns or (certain and not certain.words):
        return job.columns or certain, table
    first = list(itertools.islice(table, TALKS_LOOKED_AT))
    cells = [row.cells for row in first if isinstance(row, Row)]
    place = next((n for n in range(len(columns)) if _are_talks(cells, n)), None)
    found = certain if place is None else Mapping(text=columns[place], delimiter=delimiter)
    return found, itertools.chain(first, table)


def _are_talks(rows: list[list[str]], place: int) -> bool:
    """Say whether most cells of a column certainly hold a talk each."""
    return _are_mostly(transcripts.is_talk, rows, place)


def _are_mostly(test: Callable[[str], bool], rows: list[list[str]], place: int) -> bool:
    filled = [row[place] for row in rows if len(row) > place and row[place].strip()]
    talks = sum(test(cell[:LONGEST_LOOKED_AT]) for cell in filled)
    return talks > MOST_TALKS * len(filled)


def ask(job: Job) -> Waiting | None:
    """Return what a person is asked to have the table read otherwise; None without a header.

    What is suggested is how the table is read now.
    """
    delimiter, header, table = _opened(job)
    if not isinstance(header, Row):
        return None
    columns = tables.column_names(header.cells)
    now, table = _meaning(job, columns, delimiter, table)
    asked = _waiting(columns, table, delimiter)
    return replace(asked, suggested=now) if now else asked


def cells_of(job: Job) -> tuple[tuple[str, ...], Iterator[list[str]]]:
    """Return the columns of a table and its rows, each with as many cells; what is broken is left.

    Without a header there are no columns.
    """
    _, header, table = _opened(job)
    if not isinstance(header, Row):
        return (), iter(())
    columns = tables.column_names(header.cells)
    filled = (row.cells for row in table if isinstance(row, Row) and any(map(str.strip, row.cells)))
    width = len(columns)
    return columns, ((row + [""] * width)[:width] for row in filled)


def _opened(job: Job) -> tuple[str, Row | Problem | None, Iterator[Row | Problem]]:
    """Return the sign between cells, the header, and the rows below it."""
    layout = job.layout or tables.guess_layout(job.head_text)
    delimiter = (job.mapping and job.mapping.delimiter) or layout.delimiter
    lines = split_lines(job.stream)
    start = 0
    if layout.has_separator_line:
        start = next(lines).end
    table = rows(lines, delimiter, start, 1 + layout.has_separator_line)
    first = list(itertools.islice(table, TITLE_ROWS))
    place = _header_in(first, delimiter)
    if place is None:
        return delimiter, None, iter(())
    header = first[place]
    if isinstance(header, Row) and _is_data(header, first[place + 1 :], delimiter):
        names = [""] * len(header.cells)
        return (
            delimiter,
            replace(header, cells=names, end=header.start),
            itertools.chain(first, table),
        )
    return delimiter, header, itertools.chain(first[place + 1 :], table)


def _is_data(header: Row, below: list[Row | Problem], delimiter: str) -> bool:
    """Say whether the first row names no columns: a word of it stands below itself again."""
    if tables.certain_mapping(tables.column_names(header.cells), delimiter):
        return False
    cells = [row.cells for row in below if isinstance(row, Row)]
    return any(
        any(sign.isalpha() for sign in name)
        and any(len(row) > n and row[n] == name for row in cells)
        for n, name in enumerate(header.cells)
    )


def _header_in(first: list[Row | Problem], delimiter: str) -> int | None:
    """Return which of the first rows names the columns: titles may stand above known names."""
    filled = [n for n, row in enumerate(first) if isinstance(row, Problem) or row.cells]
    for number in filled:
        row = first[number]
        if isinstance(row, Row):
            found = tables.certain_mapping(tables.column_names(row.cells), delimiter)
            if found is not None and not found.text:
                return number
    return filled[0] if filled else None


def _without_header(row: Row | Problem) -> Problem:
    message = f"Line {row.line}: the header could not be read, so the row means nothing."
    return Problem(row.start, row.end, row.line, 1, "missing_role", message)


def _waiting(columns: tuple[str, ...], table: Iterator[Row | Problem], delimiter: str) -> Waiting:
    shown = [row for row in itertools.islice(table, 5 * ROWS_SHOWN) if isinstance(row, Row)]
    cells = [tuple(sample(cell) for cell in row.cells) for row in shown if row.cells]
    suggested = tables.suggested_mapping(columns, delimiter, cells)
    whole = [row.cells for row in shown[:TALKS_LOOKED_AT]]
    labelled = (n for n in range(len(columns)) if _are_mostly(transcripts.is_labelled, whole, n))
    if not (suggested and suggested.words) and (place := next(labelled, None)) is not None:
        suggested = Mapping(text=columns[place], delimiter=delimiter)
    key = None if suggested else telling.likely_key(columns, cells)
    if key:
        suggested = Mapping(tells="questions", key=key, delimiter=delimiter)
    return Waiting(
        code="needs_mapping",
        why="Tell us what the columns are; nothing is loaded until then.",
        columns=columns,
        rows=tuple(cells[:ROWS_SHOWN]),
        suggested=suggested,
    )


def _told(
    table: Iterator[Row | Problem], columns: tuple[str, ...], made: Rows
) -> Iterator[threads.Told]:
    for row in table:
        if isinstance(row, Problem):
            yield row
        elif not any(cell.strip() for cell in row.cells):
            made.blank()
            yield Gap(row.start, row.end, "blank")
        else:
            yield from _row(row, columns, made)


def _row(row: Row, columns: tuple[str, ...], made: Rows) -> Iterator[threads.Told]:
    """Yield what a row is; a missing or spare cell is a remark."""
    if len(row.cells) != len(columns):
        message = f"Line {row.line} has {len(row.cells)} cells, the header {len(columns)}."
        yield Problem(row.start, row.start, row.line, 1, "ragged_row", message)
    cells = dict(zip(columns, row.cells, strict=False))
    spare = ", ".join(filter(None, row.cells[len(columns) :]))
    yield from made.items(cells, RowSpan(row.start, row.end, row.line), spare)


def tell_csv(head: TextHead) -> str | None:
    """Say why a text is a table with any sign but the tab between its cells."""
    return None if head.layout.delimiter == "\t" else _tell(head)


def tell_tsv(head: TextHead) -> str | None:
    """Say why a text is a table with tabs between its cells."""
    return _tell(head) if head.layout.delimiter == "\t" else None


def _tell(head: TextHead) -> str | None:
    given = head.text, head.layout
    is_table = tables.is_table(*given) or tables.has_long_cells(*given)
    if head.layout.has_separator_line or is_table:
        share = round(head.layout.agreement * 100)
        return f"{share} % of its rows have {head.layout.columns} cells"
    is_named = head.ending in {*CSV.endings, *TSV.endings}
    return "its name says it is a table" if is_named else None


_READER = Reader("table", 7, read, ask, is_table=True)
CSV = Format(kind="csv", name="CSV", endings=("csv",), reader=_READER, of_text=tell_csv)
TSV = Format(kind="tsv", name="TSV", endings=("tsv",), reader=_READER, of_text=tell_tsv)
