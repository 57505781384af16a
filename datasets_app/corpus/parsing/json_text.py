"""One JSON value from text: strict about meaning, patient about small faults, never a crash."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from datasets_app.corpus.conversation import CorpusError

DEEPEST = 64
MOST_DIGITS = 4000
# What is never closed goes on to the end, so that it is looked through once.
STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
COMMENT = r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
LITTER = re.compile(rf"(?P<string>{STRING})|(?P<comment>{COMMENT})", re.DOTALL)
COMMA = re.compile(rf"(?P<string>{STRING})|,(?=\s*[}}\]])", re.DOTALL)
Note = tuple[str, str]


class JsonError(CorpusError):
    """Text that is no JSON value; `code` is a reason and `position` counts characters."""

    def __init__(self, code: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.position = position


class JsonParser:
    """Parses one value after another; `notes` holds what was odd about the latest one."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        hooks: dict[str, Any] = {
            "object_pairs_hook": self._object,
            "parse_constant": self._constant,
            "parse_float": self._float,
            "parse_int": self._int,
        }
        self._strict = json.JSONDecoder(**hooks)
        self._patient = json.JSONDecoder(strict=False, **hooks)

    def parse(self, text: str) -> Any:
        """Return the value of the text; raises JsonError and nothing else."""
        self.notes = []
        try:
            value = self._strict.decode(text)
        except RecursionError:
            raise JsonError("too_nested", "The record is nested too deeply.") from None
        except json.JSONDecodeError as error:
            value = self._mended(text, error)
        if text.count("{") + text.count("[") > DEEPEST and _is_deeper(value, DEEPEST):
            raise JsonError("too_nested", "The record is nested more than 64 levels deep.")
        return value

    def _mended(self, text: str, error: json.JSONDecodeError) -> Any:
        """Try again with control characters, comments and spare commas passed over."""
        self.notes = []
        mended = text.replace("\ufeff", "") if "\ufeff" in text else text
        mended, comments = LITTER.subn(_keep_string, mended) if "/" in mended else (mended, 0)
        mended = COMMA.sub(_keep_string, mended)
        try:
            value = self._patient.decode(mended)
        except (json.JSONDecodeError, RecursionError):
            where = f"{error.msg} at character {error.pos + 1}"
            raise JsonError("bad_json", f"Not valid JSON: {where}.", error.pos) from None
        if len(mended) == len(text):
            self.notes.append(("control_character", "A raw control character was kept."))
        else:
            code = "comment" if comments else "trailing_comma"
            self.notes.append((code, "A comment or a spare comma was passed over."))
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: dict[str, Any] = {}
            for key, value in pairs:
                if key in seen:
                    both = f"{str(seen[key])[:60]!r} and {str(value)[:60]!r}"
                    message = f"The key {key[:60]!r} stands twice, with {both}; the last was kept."
                    self.notes.append(("duplicate_key", message))
                seen[key] = value
        return found

    def _constant(self, word: str) -> None:
        self.notes.append(("not_a_number", f"{word} was read as empty."))

    def _float(self, digits: str) -> float | None:
        number = float(digits)
        if math.isinf(number):
            self.notes.append(("not_a_number", f"{digits[:30]} is too large: read as empty."))
            return None
        return number

    def _int(self, digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise JsonError("long_number", "A whole number has more than 4,000 digits.")
        return int(digits)


def _keep_string(found: re.Match[str]) -> str:
    return found["string"] or ""


def _is_deeper(value: Any, levels: int) -> bool:
    """Say whether a value is nested deeper, without recursion."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
