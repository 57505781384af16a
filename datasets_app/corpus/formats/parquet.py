"""Parquet: each row is read as a line of JSON Lines, with lists and structs as they stand.

DuckDB reads it in the limited child: it is half of pyarrow's size.
"""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, BinaryIO
from uuid import UUID

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.formats import jsonl
from datasets_app.corpus.formats.format import Document, Format, Reader
from datasets_app.corpus.parsing import own

ENCRYPTED = b"PARE"
ROWS_AT_ONCE = 200
MEMORY = "500MB"
DESCRIPTOR = "/proc/self/fd/{}"
QUIET: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": MEMORY,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the rows; raises ArchiveStop for a file that cannot be read to its end."""
    if file.read(4) == ENCRYPTED:
        raise ArchiveStop("encrypted", "It is encrypted. Save it without a key and upload that.")
    import duckdb  # noqa: PLC0415 - only the child loads it

    path = DESCRIPTOR.format(file.fileno())
    base = duckdb.connect(config=QUIET)
    base.execute(f"SET allowed_paths = ['{path}']")
    base.execute("SET enable_external_access = false")
    base.execute("SET lock_configuration = true")
    number = 0
    try:
        found = base.execute("SELECT * FROM read_parquet(?)", [path])
        names = [column[0] for column in found.description or ()]
        while rows := found.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                number += 1
                told = {name: plain(cell) for name, cell in zip(names, row, strict=True)}
                told = _as_written(told) if own.KEY in told else told
                out.part(f"{json.dumps(told, ensure_ascii=False)}\n", f"row {number:,}")
    except duckdb.OutOfMemoryException:
        message = "It needed more memory than one file may use. Save it in smaller groups of rows."
        raise ArchiveStop("stopped", message) from None
    except duckdb.Error as error:
        message = f"The Parquet file is damaged behind row {number:,}: {str(error)[:200]}."
        raise ArchiveStop("bad_document", message) from None


def _as_written(told: dict[str, Any]) -> dict[str, Any]:
    """Return a row that OTTO wrote as the object that its columns were made of."""
    try:
        beside = json.loads(told[own.KEY])
    except (TypeError, ValueError):
        return told
    messages = told.get("messages")
    if not isinstance(beside, dict) or not isinstance(messages, list):
        return told
    turns = [{key: held for key, held in turn.items() if held is not None} for turn in messages]
    return {"messages": turns} | ({own.KEY: beside} if beside else {})


def plain(value: Any) -> Any:
    """Return a cell as JSON has it; what is no text, number, list or struct becomes text."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes | bytearray) or (isinstance(value, float) and not isfinite(value)):
        return None  # pictures, sounds, and what is no number
    if isinstance(value, date | time):
        return str(value)
    return str(value) if isinstance(value, Decimal | UUID | timedelta) else value


FORMAT = Format(
    kind="parquet",
    name="a Parquet file",
    endings=("parquet", "pq"),
    magic=(b"PAR1", ENCRYPTED),
    document=Document(extract, "row"),
    reader=Reader("parquet", 2, jsonl.read, jsonl.ask),
)
