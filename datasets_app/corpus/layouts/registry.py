"""The file layouts in which rows go out, by the name that stands in addresses."""

from __future__ import annotations

from typing import Any

from datasets_app.corpus.layouts import columns, objects, texts
from datasets_app.corpus.layouts.layout import Layout
from datasets_app.corpus.parsing import own

_JSON, _LINES, _TEXT = "application/json", "application/jsonl", "text/plain; charset=utf-8"
_LIST: dict[str, Any] = {
    "suffix": "json",
    "content_type": _JSON,
    "head": "[\n",
    "between": ",\n",
    "tail": "\n]\n",
}
_HEADER = ",".join(f'"{name}"' for name in texts.COLUMNS) + "\r\n"

LAYOUTS: dict[str, Layout] = {
    "jsonl": Layout(
        words="JSON Lines",
        about="one row a line, with its number, split, status, tags and source",
        suffix="jsonl",
        content_type=_LINES,
        write=objects.line,
    ),
    "json": Layout(
        words="JSON",
        about="the same as one list",
        write=objects.whole,
        **_LIST,
    ),
    "messages": Layout(
        words="OpenAI messages",
        about="JSON Lines with nothing but messages, as OpenAI and most trainers take them",
        suffix="jsonl",
        content_type=_LINES,
        write=objects.messages,
    ),
    "sharegpt": Layout(
        words="ShareGPT",
        about="a list of conversations with from and value",
        write=objects.sharegpt,
        **_LIST,
    ),
    "alpaca": Layout(
        words="Alpaca",
        about="a list of instruction and output; earlier turns stand in history",
        write=objects.alpaca,
        **_LIST,
    ),
    "pairs": Layout(
        words="Input and output",
        about="a list of input and output; earlier turns stand in history",
        write=objects.pairs,
        **_LIST,
    ),
    "csv": Layout(
        words="CSV",
        about="one turn a line; a cell that looks like a formula begins with an apostrophe",
        suffix="csv",
        content_type="text/csv; charset=utf-8",
        write=texts.table,
        head=_HEADER,
    ),
    "excel": Layout(
        words="CSV for Excel",
        about="the same with the mark by which Excel knows UTF-8",
        suffix="csv",
        content_type="text/csv; charset=utf-8",
        write=texts.table,
        head=f"\ufeff{_HEADER}",
    ),
    "parquet": Layout(
        words="Parquet",
        about="columns of messages and split, packed, for programs that read tables of data",
        suffix="parquet",
        content_type="application/vnd.apache.parquet",
        write=columns.line,
        pack=columns.packed,
    ),
    "chatml": Layout(
        words="ChatML",
        about="the text that many models are trained on, with its marks",
        suffix="txt",
        content_type=_TEXT,
        write=texts.chatml,
    ),
    "text": Layout(
        words="Text",
        about="to read or print",
        suffix="txt",
        content_type=_TEXT,
        write=texts.plain,
        head=f"{own.TEXT_HEAD}\n\n",
    ),
}
