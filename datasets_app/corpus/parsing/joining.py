"""Two tables put together by a key that stands in both."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from datasets_app.corpus.conversation import CorpusError

SAMPLED = 2_000  # rows in which a key is looked for
MOST_COLUMNS = 60  # of each table
ALMOST_UNIQUE = 0.9
LEAST_MET = 0.2  # of the values that a column has to share to be a key


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory; each row has as many cells as there are columns."""

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    id: str = ""

    def cells(self, column: str) -> list[str]:
        """Return the cells of a column as they are compared: without case and outer spaces."""
        if column not in self.columns:
            raise CorpusError(f"There is no column “{column}” in {self.name}.")
        place = self.columns.index(column)
        return [plain(row[place]) for row in self.rows]

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem


@dataclass(frozen=True, slots=True)
class Key:
    """The columns by which the rows of one table find theirs in the other."""

    left: str
    right: str


@dataclass(slots=True)
class Joined:
    """All rows of the left table with what the right one says, and what found nothing."""

    columns: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)
    met: int = 0
    empty: int = 0
    """Rows whose key is empty."""
    missing: int = 0
    """Rows whose key does not stand in the other table."""
    unused: int = 0
    """Rows of the right table that no row asks for."""
    repeated: int = 0
    """Keys that stand more than once in the right table: its first row is taken."""


def plain(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def likely_key(left: Table, right: Table) -> Key | None:
    """Return the pair of columns whose values meet best; the right one is almost unique."""
    best: tuple[float, Key] | None = None
    for there, values in _unique_columns(right):
        for here in left.columns[:MOST_COLUMNS]:
            filled = [cell for cell in left.cells(here)[:SAMPLED] if cell]
            met = sum(cell in values for cell in filled) / len(filled) if filled else 0.0
            worth = met + (0.5 if plain(here) == plain(there) else 0.0)
            if met >= LEAST_MET and (best is None or worth > best[0]):
                best = worth, Key(here, there)
    return best[1] if best else None


def _unique_columns(table: Table) -> Iterator[tuple[str, set[str]]]:
    for column in table.columns[:MOST_COLUMNS]:
        cells = [cell for cell in table.cells(column) if cell]
        values = set(cells)
        if values and len(values) >= ALMOST_UNIQUE * len(cells):
            yield column, values


def joined(left: Table, right: Table, key: Key) -> Joined:
    """Return every row of the left table once, with the cells of the right one's row, or empty."""
    keys = right.cells(key.right)
    index: dict[str, int] = {}
    for number, one in enumerate(keys):
        index.setdefault(one, number)
    others = [n for n, column in enumerate(right.columns) if column != key.right]
    names = [_named(right.columns[n], left.columns, right.stem) for n in others]
    found = Joined((*left.columns, *names))
    used = set[str]()
    for row, one in zip(left.rows, left.cells(key.left), strict=True):
        place = index.get(one) if one else None
        found.empty += not one
        found.missing += bool(one) and place is None
        beside = [""] * len(others) if place is None else [right.rows[place][n] for n in others]
        if place is not None:
            used.add(one)
        found.rows.append([*row, *beside])
    found.met = len(found.rows) - found.empty - found.missing
    found.unused = sum(one not in used for one in keys)
    found.repeated = sum(count > 1 for one, count in Counter(keys).items() if one)
    return found


def _named(column: str, taken: Sequence[str], stem: str) -> str:
    return f"{stem} {column}" if column in taken else column


def as_csv(table: Joined) -> bytes:
    """Return a joined table as a file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([table.columns, *table.rows])
    return text.getvalue().encode()
