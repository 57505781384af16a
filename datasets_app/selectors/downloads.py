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
from datasets_app.selectors.row_order import ORDERS, Key
from datasets_app.selectors.tags import tag_names
from datasets_app.selectors.versions import LAST_WORDS, READ_ROWS, version_rows

SAMPLE_ROWS, SAMPLE_CHARACTERS = 3, 4_000
_OF_OTTO = {own.KEY, "notes_of_otto"}
_TABLE = ("position", "turns", "meta", "id", "split", "status", "decision", "reasons")


def rows_of_version(version: Version) -> Iterator[Row]:
    """Yield a version's rows in its order, as they were when it was frozen.

    Nothing is told of them that may change later: the same version gives the same file.
    """
    lines, last = version_rows(version.pk, None).annotate(meta=F("conversation__meta")), -1
    while batch := list(lines.filter(position__gt=last)[:READ_ROWS]):
        for line in batch:
            conversation = from_json(line["turns"])
            if line[LAST_WORDS]:
                conversation = conversation.without_last_words()
            told = {"id": line["conversation_id"], "split": line["split"]}
            yield Row(line["position"], conversation, told, _fields(line["meta"]))
        last = batch[-1]["position"]


def rows_of_table(dataset: Dataset, chosen: RowFilter) -> Iterator[Row]:
    """Yield the rows of a dataset that match, in the order in which they came.

    They are asked for batch by batch, each from where the last one ended: outside a transaction
    a cursor would first copy all of them.
    """
    order, all_rows = ORDERS["order"], chosen.found(dataset)
    last: Key | None = None
    while True:
        rows = order.beyond(all_rows, last) if last else order.keyed(all_rows)
        rows = rows.annotate(source=F("source_file__name"), tags=tag_names())
        batch = list(
            rows.order_by(*order.terms).values(*_TABLE, "source", "tags", "key")[:READ_ROWS]
        )
        for row in batch:
            told = {name: row[name] for name in (*_TABLE[3:], "source", "tags") if row[name]}
            yield Row(row["position"], from_json(row["turns"]), told, _fields(row["meta"]))
        if len(batch) < READ_ROWS:
            return
        last = (batch[-1]["key"], batch[-1]["id"])


def _fields(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: held for name, held in meta.items() if name not in _OF_OTTO}


def sample_of(layout: Layout, rows: Iterator[Row]) -> str:
    """Return the beginning of a file, as it would be written of the first rows."""
    text = "".join(layout.text(islice(rows, SAMPLE_ROWS))).removeprefix("\ufeff")
    return text if len(text) <= SAMPLE_CHARACTERS else f"{text[:SAMPLE_CHARACTERS]}…"
