"""The ways to put the rows of a table into language, side by side on its own first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.formats.registry import has_columns
from datasets_app.corpus.parsing.telling import WAYS, Exchange, Telling, likely_key
from datasets_app.models import FileState, SourceFile
from datasets_app.selectors.files import columns_page

ROWS_SHOWN = 2
EXCHANGES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What one way makes of the first rows, or why it makes nothing of them."""

    way: str
    title: str
    shown: tuple[Exchange, ...] = ()
    per_row: float = 0
    empty_rows: int = 0
    why_not: str = ""


def asked_of(file: SourceFile) -> dict[str, Any] | None:
    """Return the columns and first rows of a table about which something may be said."""
    if not has_columns(file.kind):
        return None
    if file.verdict == FileState.WAITING:
        return file.waiting_for if file.reason == "needs_mapping" else None
    page = columns_page(file)
    return page["asked"] if page else None


def compared(asked: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Told, ...]:
    """Return what each way makes of the first rows with the key and words that were chosen."""
    columns, rows = tuple(asked["columns"]), asked["rows"]
    key = chosen.get("key") or (asked.get("suggested") or {}).get("key")
    key = key or likely_key(columns, rows)
    return tuple(_told(way, columns, rows, key, chosen) for way in WAYS)


def _told(
    way: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    key: str | None,
    chosen: Mapping[str, str],
) -> Told:
    title = WAYS[way]
    try:
        telling = Telling.of(way, columns, key, chosen.get("asks"), chosen.get("template"))
    except CorpusError as error:
        return Told(way, title, why_not=str(error))
    found = [telling.exchanges(dict(zip(columns, row, strict=False))) for row in rows]
    filled = [told for told in found if told]
    shown = tuple(one for told in filled[:ROWS_SHOWN] for one in told[:EXCHANGES_SHOWN])
    per_row = sum(map(len, filled)) / len(filled) if filled else 0
    why_not = "" if shown else "None of the first rows has enough cells for it."
    return Told(way, title, shown, per_row, len(found) - len(filled), why_not)
