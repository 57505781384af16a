"""How OTTO marks what it wrote itself, so that reading it again gives the very same rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from datasets_app.corpus.conversation import Turn, from_json

KEY = "otto"
"""Under it an object says what the layout of others has no place for."""
ROW = "otto_row"
"""The first column of a table that OTTO wrote: which conversation a message belongs to."""
TEXT_HEAD = "OTTO conversations, layout 1"
"""The first line of a text that OTTO wrote."""
INDENT = "    "
"""Before each further line of what somebody says in such a text."""

# A program that calculates takes a cell that begins like this for a formula.
_BEGINNINGS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"\A'*+{_BEGINNINGS}")
_GUARDED = re.compile(rf"\A'++{_BEGINNINGS}")
_MARK = re.compile(r"<(?=\\*\|(?:im_start|im_end|endoftext)\|>)")
_MARKED = re.compile(r"<\\(?=\\*\|(?:im_start|im_end|endoftext)\|>)")


def seal(rest: Mapping[str, Any]) -> str:
    """Return what is equal as long as nobody changed an object that stands beside exact turns."""
    canonical = json.dumps(rest, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def exact_turns(value: Mapping[str, Any]) -> tuple[Turn, ...] | None:
    """Return the turns that OTTO wrote beside others' layout.

    None where there are none, or where somebody changed the words beside them since.
    """
    told = value.get(KEY)
    turns = told.get("turns") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(turns, list) or not turns:
        return None
    rest = {key: held for key, held in value.items() if key != KEY}
    is_sound = all(
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("text"), str)
        for turn in turns
    )
    if not is_sound or told.get("seal") != seal(rest):
        return None
    return from_json(turns).turns


def own_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other fields of a record that OTTO wrote, as they were before."""
    told = dict(value[KEY])
    fields = told.pop("fields", None)
    told.pop("turns", None)
    told.pop("seal", None)
    return {**(fields if isinstance(fields, dict) else {}), **({KEY: told} if told else {})}


def guarded(cell: str) -> str:
    """Return a cell that no program takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell


def without_marks(text: str) -> str:
    """Return a text in which nothing is a mark of ChatML."""
    return _MARK.sub(r"<\\", text) if "<" in text else text


def with_marks(text: str) -> str:
    """Return what `without_marks` was given."""
    return _MARKED.sub("<", text) if "<\\" in text else text
