"""The lines of a page as they lie on the paper, in the order in which people read them."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

GAP = 2.0  # heights of a letter: so much white divides columns, or the cells of a row
FEWEST_ROWS = 6  # with white at one place make two columns
PROSE = 12  # letters a line of a column has on both sides, in the middle; cells have fewer
MOST_LETTERS = 200_000  # on a page whose places are looked at; of more only the text is taken
LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st"}
SOFT_HYPHENS = ("\ufffe", "\u00ad")
DIVIDING = 2  # what pdfium tells in place of a hyphen at which a line ends, and of the line's end
SPACES = re.compile(r"[^\S\n]+")


@dataclass(slots=True)
class Line:
    """Text with its place on the page: left, right, the line it stands on, and its size."""

    text: str
    left: float = 0.0
    right: float = 0.0
    base: float = 0.0
    size: float = 0.0


def lines_of(textpage: Any) -> list[Line]:
    """Return the lines of a page; two columns of prose one after the other."""
    count = textpage.count_chars()
    if count > MOST_LETTERS:
        return [
            Line(_clean(text)) for text in textpage.get_text_range().split("\n") if text.strip()
        ]
    rows = [_parts(row) for row in _rows(textpage, count)]
    gutter = _gutter(rows)
    if gutter is None:
        return [_joined(parts) for parts in rows if parts]
    return list(_in_columns(rows, gutter))


def _rows(textpage: Any, count: int) -> Iterator[list[tuple[str, Line]]]:
    """Yield the letters of each row with their places."""
    import pypdfium2.raw as raw  # noqa: PLC0415, PLR0402 - only the child loads it

    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    boxes = [ctypes.byref(one) for one in (left, right, bottom, top)]
    row: list[tuple[str, Line]] = []
    for number in range(count):
        code = raw.FPDFText_GetUnicode(textpage, number)
        sign = LIGATURES.get(code) or (chr(code) if 0 < code < 0x110000 else "")
        if sign and sign not in "\r\n":
            raw.FPDFText_GetCharBox(textpage, number, *boxes)
            sign = "-" if code == DIVIDING else sign
            place = Line(sign, left.value, right.value, bottom.value)
            if not row:
                place.size = raw.FPDFText_GetFontSize(textpage, number)
            row.append((sign, place))
        if row and (sign in "\r\n" or code == DIVIDING):
            yield row
            row = []
    if row:
        yield row


def _parts(row: list[tuple[str, Line]]) -> list[Line]:
    """Divide a row where wide white lies between its letters."""
    size = row[0][1].size or 10.0
    parts: list[Line] = []
    held: Line | None = None
    for sign, place in row:
        if sign.isspace():
            if held:
                held.text += " "
        elif held is None or place.left - held.right > GAP * size:
            held = Line(sign, place.left, place.right, place.base, size)
            parts.append(held)
        else:
            held.text += sign
            held.right = max(held.right, place.right)
    for part in parts:
        part.text = _clean(part.text)
    return [part for part in parts if part.text]


def _clean(text: str) -> str:
    return SPACES.sub(" ", text).strip()


def _gutter(rows: list[list[Line]]) -> float | None:
    """Return where the white between two columns of prose lies, if rows go through both."""
    pairs = [parts for parts in rows if len(parts) == 2]
    if len(pairs) < max(FEWEST_ROWS, len(rows) // 3):
        return None
    if median(min(len(part.text) for part in parts) for parts in pairs) < PROSE:
        return None
    middle = median((parts[0].right + parts[1].left) / 2 for parts in pairs)
    through = sum(parts[0].right <= middle <= parts[1].left for parts in pairs)
    return middle if through * 10 >= len(pairs) * 8 else None


def _in_columns(rows: list[list[Line]], gutter: float) -> Iterator[Line]:
    """Yield the left column before the right one, as far as no row goes across both."""
    right: list[Line] = []
    for parts in rows:
        across = [part for part in parts if part.left < gutter < part.right]
        if across:
            yield from right
            right = []
            yield _joined(parts)
            continue
        yield from (part for part in parts if part.right <= gutter)
        right += [part for part in parts if part.left >= gutter]
    yield from right


def _joined(parts: list[Line]) -> Line:
    """Return the parts of a row as one line."""
    text = " | ".join(part.text for part in parts)
    return Line(text, parts[0].left, parts[-1].right, parts[0].base, parts[0].size)
