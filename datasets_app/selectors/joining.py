"""The tables of an upload, and how two of them would be joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection import encoding as encodings
from datasets_app.corpus.formats import sheets
from datasets_app.corpus.formats.table import cells_of
from datasets_app.corpus.parsing.joining import Joined, Key, Table, joined, likely_key
from datasets_app.corpus.parsing.view import open_view
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.reading import Asked, section
from datasets_app.corpus.source import Mapping as Chosen
from datasets_app.corpus.source import Waiting
from datasets_app.models import SourceFile, Upload
from datasets_app.models.blob import blob_path

SHEETS = frozenset({"sheet", "ods_sheet"})
JOINED_KINDS = frozenset({"csv", "tsv", *SHEETS})
LARGEST_BYTES = 32 << 20
MOST_ROWS = 200_000
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """Two tables of an upload and the key between them."""

    left: Table
    right: Table
    key: Key


def tables_of(upload: Upload) -> QuerySet[SourceFile]:
    """Return the tables of an upload that may be joined, by name."""
    found = upload.files.filter(kind__in=JOINED_KINDS, size__lte=LARGEST_BYTES).exclude(blob=None)
    return found.order_by("name", "pk")


def table_of(file: SourceFile) -> Table:
    """Return a table with all its rows; raises CorpusError where it cannot be read."""
    with _job(file) as job:
        columns, rows = (sheets.cells_of if file.kind in SHEETS else cells_of)(job)
        kept = list(islice(rows, MOST_ROWS + 1))
    if not columns or not all(columns):
        raise CorpusError(f"{file.name} has no row that names its columns.")
    if len(kept) > MOST_ROWS:
        raise CorpusError(f"{file.name} has more than {MOST_ROWS:,} rows. Join it before.")
    return Table(file.name, columns, kept, str(file.pk))


@contextmanager
def _job(file: SourceFile) -> Iterator[Job]:
    path, name = blob_path(str(file.blob_id)), file.chosen_encoding
    mapping = Chosen.from_json(file.mapping) if file.mapping else None
    if file.kind in SHEETS:
        with section(path, file.kind, Asked(file.section, mapping, file.name)) as job:
            yield job
        return
    found = encodings.chosen(name, path) if name else encodings.detect(path)
    if isinstance(found, Waiting):
        raise CorpusError(f"Choose the encoding of {file.name} first.")
    head, stream = open_view(path, found), open_view(path, found)
    try:
        yield Job(stream, head.read(encodings.SAMPLE_BYTES), mapping)
    finally:
        head.close()
        stream.close()


def choice_of(files: Mapping[str, SourceFile], asked: Mapping[str, str]) -> Choice:
    """Return what a form or an address asks for; what it leaves open is found out.

    Raises CorpusError where two tables have nothing in common.
    """
    names = [asked.get("left", ""), asked.get("right", "")]
    if all(name in files for name in names):
        left, right = (table_of(files[name]) for name in names)
        if names[0] == names[1]:
            raise CorpusError("Choose two different tables.")
        pairs = [(left, right)]
    else:
        first = [table_of(file) for file in islice(files.values(), 2)]
        pairs = [(first[0], first[1]), (first[1], first[0])]
    key = Key(asked.get("left_key", ""), asked.get("right_key", ""))
    if len(pairs) == 1 and key.left in pairs[0][0].columns and key.right in pairs[0][1].columns:
        return Choice(*pairs[0], key)
    for left, right in sorted(pairs, key=lambda pair: -len(pair[0].rows)):
        if found := likely_key(left, right):
            return Choice(left, right, found)
    return Choice(*pairs[0], Key(pairs[0][0].columns[0], pairs[0][1].columns[0]))


def preview_of(choice: Choice) -> dict[str, Any]:
    """Return the joined table with its counts, and its first rows."""
    found: Joined = joined(choice.left, choice.right, choice.key)
    return {"choice": choice, "joined": found, "shown": found.rows[:SHOWN]}
