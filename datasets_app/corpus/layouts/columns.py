"""Parquet: messages in columns for programs, and beside them what OTTO reads its rows from.

The rows are written as lines first; a process with limits of its own makes the file of them, so
that nothing of DuckDB stays in the process that sends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.layouts.layout import Row
from datasets_app.corpus.layouts.objects import whole
from datasets_app.corpus.limited.run import Call, run_limited
from datasets_app.corpus.parsing import own

STEP = 1 << 20
LARGEST_ROW = 64 << 20
ROWS_TOGETHER = 10_000  # in the file, so that neither side holds more of them at once
CPU_SECONDS = 3_600
COLUMNS = {
    "messages": "STRUCT(role VARCHAR, content VARCHAR, weight INTEGER)[]",
    "split": "VARCHAR",
    own.KEY: "VARCHAR",
}


def line(row: Row) -> str:
    """Return the line of a row; what only OTTO reads is one text in it."""
    value = json.loads(whole(row))
    told = json.dumps(value.get(own.KEY, {}), ensure_ascii=False)
    kept = {"messages": value["messages"], "split": row.told.get("split"), own.KEY: told}
    return json.dumps(kept, ensure_ascii=False) + "\n"


def packed(lines: Iterator[str]) -> Iterator[bytes]:
    """Yield the file that holds the rows of these lines, once all of them are there."""
    with TemporaryDirectory(prefix="otto-parquet-") as name:
        folder = Path(name)
        with (folder / "lines").open("w", encoding="utf-8") as file:
            file.writelines(lines)
        limits = replace(ArchiveLimits.of_document(), cpu_seconds=CPU_SECONDS)
        for _ in run_limited(folder / "lines", Call(pack, (), limits), bool, folder=folder):
            pass
        with (folder / "rows").open("rb") as file:
            while block := file.read(STEP):
                yield block


def pack(file: BinaryIO, _out: Out) -> None:
    """Write the rows of a file of lines as Parquet beside it."""
    import duckdb  # noqa: PLC0415 - only the child loads it

    base = duckdb.connect(config={"threads": 1, "memory_limit": "500MB", "temp_directory": ""})
    rows = base.read_json(
        f"/proc/self/fd/{file.fileno()}",
        format="newline_delimited",
        columns=COLUMNS,
        maximum_object_size=LARGEST_ROW,
    )
    rows.write_parquet("rows", compression="zstd", row_group_size=ROWS_TOGETHER)
