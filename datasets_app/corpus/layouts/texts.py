"""The layouts that are no JSON: a table, ChatML, and text for people."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from datasets_app.corpus.conversation import ROLES
from datasets_app.corpus.layouts.layout import Row
from datasets_app.corpus.parsing import own

COLUMNS = (
    own.ROW,
    "turn",
    "role",
    "text",
    "weight",
    "split",
    "status",
    "decision",
    "tags",
    "source",
)
_TOLD = COLUMNS[5:]


def table(row: Row) -> str:
    """Return the lines of a table: one for each turn; what is told of a row stands in its first."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for number, turn in enumerate(row.conversation.turns, 1):
        told = [_cell(row.told.get(name)) if number == 1 else "" for name in _TOLD]
        weight = "" if turn.is_learnt else "0"
        cells = (turn.role, turn.text, weight, *told)
        writer.writerow((row.number, number, *map(own.guarded, cells)))
    return out.getvalue()


def _cell(told: Any) -> str:
    if told is None:
        return ""
    return ", ".join(map(str, told)) if isinstance(told, list | tuple) else str(told)


def chatml(row: Row) -> str:
    """Return a conversation in ChatML; what looks like a mark in its words gets a backslash."""
    turns = (
        f"<|im_start|>{own.without_marks(turn.role)}{'' if turn.is_learnt else ' weight=0'}\n"
        f"{own.without_marks(turn.text)}<|im_end|>\n"
        for turn in row.conversation.turns
    )
    return f"{''.join(turns)}<|endoftext|>\n"


def plain(row: Row) -> str:
    """Return a conversation as people read it; further lines of a turn are indented."""
    told = [str(row.number), *(_cell(row.told[name]) for name in _TOLD if row.told.get(name))]
    lines = [f"--- {' · '.join(told)}".replace("\n", " ")]
    for turn in row.conversation.turns:
        who = turn.role.capitalize() if turn.role in ROLES else json.dumps(turn.role)
        mark = "" if turn.is_learnt else " (not learnt)"
        lines.append(f"{who}{mark}: {turn.text}".replace("\n", f"\n{own.INDENT}"))
    return "\n".join(lines) + "\n\n"
