"""Numbers, sizes and spans in the words that every page uses."""

from __future__ import annotations

import math
import re
from datetime import timedelta

UNKNOWN = "–"
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
SIZES = ("B", "kB", "MB", "GB", "TB")
SHORT = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def clean(text: object) -> str:
    """Return text whose control characters are shown as signs; line ends and tabs stay."""
    return CONTROL.sub(_sign, str(text).replace("\r\n", "\n"))


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"[U+{code:04X}]"


def finite(value: object) -> float | None:
    """Return the value as a number, or None when it is missing or not one."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def in_short(number: float) -> str:
    """Return one decimal below ten, none above."""
    return f"{number:.1f}".removesuffix(".0") if abs(number) < 10 else f"{number:,.0f}"


def filesize(value: object) -> str:
    """Return `41 GB`, `1.3 MB`, `212 B`."""
    number = finite(value)
    if number is None:
        return UNKNOWN
    step = 0
    while abs(number) >= 999.5 and step < len(SIZES) - 1:
        number, step = number / 1000, step + 1
    return f"{in_short(number)} {SIZES[step]}"


def duration(value: object) -> str:
    """Return `0.4 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h` for seconds or a timedelta."""
    number = finite(value)
    if number is None or number < 0:
        return UNKNOWN
    if number < 9.95:
        return f"{in_short(number)} s"
    minutes, seconds = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def about(value: object) -> str:
    """Return a span that nobody knows exactly: `under a minute`, `about 4 min`, `about 2 h`."""
    number = finite(value)
    if number is None or number < 0:
        return UNKNOWN
    minutes = round(number / 60)
    if number < 45:
        return "under a minute"
    if minutes < 100:
        return f"about {max(1, minutes)} min"
    return f"about {number / 3600:.0f} h"


def count(value: object) -> str:
    """Return `12,431`."""
    number = finite(value)
    return UNKNOWN if number is None else f"{number:,.0f}"


def figure(value: object) -> str:
    """Return a number as people read one: `12,431`, `0.205`, `3e-05`; yes and no; texts as is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,d}"
    if isinstance(value, float):
        is_large = value.is_integer() or abs(value) >= 1000
        text = f"{value:,.0f}" if is_large and abs(value) < 1e15 else f"{value:.3g}"
        return text if math.isfinite(value) else UNKNOWN
    return UNKNOWN if value is None or value == "" else str(value)


def short_count(value: object) -> str:
    """Return `1.2 M`, `34 k`, `999`."""
    number = finite(value)
    if number is None:
        return UNKNOWN
    for size, letter in SHORT:
        if abs(number) >= size * 0.9995:
            scaled = number / size
            text = f"{scaled:.1f}" if abs(scaled) < 99.95 else f"{scaled:,.0f}"
            return f"{text.removesuffix('.0')} {letter}"
    return f"{number:,.0f}"
