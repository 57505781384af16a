"""Rows on their way out: those of a version, and those that a table shows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import F

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.layouts.layout import Layout, Row
from datasets_app.corpus.parsing import own
from datasets_app.models import Dataset, Version
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.tags import tag_names
from datasets_app.selectors.versions import LAST_WORDS, READ_ROWS, version_rows

SAMPLE_ROWS, SAMPLE_CHARACTERS = 3, 4_000
_OF_OTTO = {own.KEY, "notes_of_otto"}
_TABLE = ("position", "turns", "meta", "id", "split", "status", "decision", "reasons")


def rows_of_version(version: Version) -> Iterator[Row]:
    """Yield a version's rows in its order, as they were when it was frozen.

    Nothing is told of them that may change later: the same version gives the same file.
    """
    lines = version_rows(version.pk, None).annotate(meta=F("conversation__meta"))
    for line in lines.iterator(chunk_size=READ_ROWS):
        conversation = from_json(line["turns"])
        if line[LAST_WORDS]:
            conversation = conversation.without_last_words()
        told = {"id": line["conversation_id"], "split": line["split"]}
        yield Row(line["position"], conversation, told, _fields(line["meta"]))


def rows_of_table(dataset: Dataset, chosen: RowFilter) -> Iterator[Row]:
    """Yield the rows of a dataset that match, in the order in which they came."""
    rows = chosen.rows(dataset).annotate(source=F("source_file__name")).order_by("arrival", "pk")
    rows = rows.annotate(tags=tag_names())
    for row in rows.values(*_TABLE, "source", "tags").iterator(chunk_size=READ_ROWS):
        told = {name: row[name] for name in (*_TABLE[3:], "source", "tags") if row[name]}
        yield Row(row["position"], from_json(row["turns"]), told, _fields(row["meta"]))


def _fields(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: held for name, held in meta.items() if name not in _OF_OTTO}


def sample_of(layout: Layout, rows: Iterator[Row]) -> str:
    """Return the beginning of a file, as it would be written of the first rows."""
    text = "".join(layout.text(islice(rows, SAMPLE_ROWS))).removeprefix("\ufeff")
    return text if len(text) <= SAMPLE_CHARACTERS else f"{text[:SAMPLE_CHARACTERS]}…"
