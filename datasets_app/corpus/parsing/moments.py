"""What an order column holds: numbers or times, as far as they put messages in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise

_NUMBER = re.compile(r"\A[+-]?\d{1,18}(?:\.\d{1,9})?\Z")
_DAY = re.compile(
    r"\A(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{1,4})\.?,?[ T]\s{0,3}"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?:\s?(?P<half>[AaPp])\.?[Mm]?\.?)?\Z"
)
_WEEKDAY = re.compile(
    r"\A([A-Z][a-z]{2}) ([A-Z][a-z]{2}) {1,2}(\d{1,2}) ([\d:]{5,8}) (\+\d{4} )?(\d{4})\Z"
)
_LETTERS = re.compile(r"[^\W\d_]{1,8}")
_HALVES = (
    (("ص", "上午", "凌晨", "早上", "清晨", "午前", "오전", "πμ", "ÖÖ"), " AM"),
    (("م", "下午", "中午", "傍晚", "晚上", "午後", "오후", "μμ", "ÖS"), " PM"),
)
_TO_COMMON = {0x202F: " ", 0xA0: " "}
_FIRST_SECOND, _FIRST_MILLISECOND = 1e8, 1e11  # from these on a number is a time


def in_order(values: Sequence[str]) -> list[int] | None:
    """Return the places of the values from the earliest on; None where they do not say it.

    Where they run backwards, equal ones do, too.
    """
    keys = next((found for read in READINGS if (found := _all(read, values))), None)
    if not keys:
        return None
    if keys[0] > keys[-1] and all(before >= after for before, after in pairwise(keys)):
        return list(range(len(keys)))[::-1]
    return sorted(range(len(keys)), key=keys.__getitem__)


def seconds(value: str) -> float | None:
    """Return a time as seconds; None for a bare number and whatever is no time."""
    found = number(value)
    if found is None:
        return next((key for read in READINGS[1:] if (key := read(value)) is not None), None)
    if found >= _FIRST_MILLISECOND:
        return found / 1000
    return found if found >= _FIRST_SECOND else None


def clock_of(stamps: Sequence[str]) -> Callable[[str], float | None] | None:
    """Return what reads all these times as seconds.

    Where days and months could change places, time goes forward and in the smallest steps.
    """
    tidy = [_tidy(stamp) for stamp in stamps]
    read = next((one for one in READINGS[1:] if _all(one, tidy)), None)
    if read is _day_first and (other := _all(_month_first, tidy)):
        steps = _backward_and_span(_all(_day_first, tidy) or [])
        read = _month_first if _backward_and_span(other) < steps else read
    return (lambda value: read(_tidy(value))) if read else None


def _backward_and_span(moments: Sequence[float]) -> tuple[int, float]:
    """Return how often time goes backward, and the seconds from the first to the last moment."""
    return sum(after < before for before, after in pairwise(moments)), max(moments) - min(moments)


def _tidy(stamp: str) -> str:
    """Return a time with its half of the day behind it, in Latin letters."""
    plain = stamp.replace("،", ",").translate(_TO_COMMON)
    half = next((mark for words, mark in _HALVES if any(word in plain for word in words)), "")
    if half:
        plain = " ".join(_LETTERS.sub("", plain).split()) + half
    return plain


def number(value: str) -> float | None:
    """Return a value as a number, or None."""
    return float(value) if _NUMBER.match(value.strip()) else None


def _all(read: Callable[[str], float | None], values: Sequence[str]) -> list[float] | None:
    keys = []
    for value in values:
        key = read(value)
        if key is None:
            return None
        keys.append(key)
    return keys


def _iso(value: str) -> float | None:
    try:
        return _stamp(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        return None


def _of_mail(value: str) -> float | None:
    """Read the date of a mail, or one as `Tue Mar 12 09:14:05 +0000 2024`."""
    found = _WEEKDAY.match(value.strip())
    told = (
        value
        if found is None
        else "{0}, {2} {1} {5} {3} {4}".format(*(p or "" for p in found.groups()))
    )
    try:
        return _stamp(parsedate_to_datetime(told))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _day_first(value: str) -> float | None:
    return _numbered(value, is_day_first=True)


def _month_first(value: str) -> float | None:
    return _numbered(value, is_day_first=False)


def _numbered(value: str, *, is_day_first: bool) -> float | None:
    found = _DAY.match(value.strip().replace("\u202f", " "))
    if found is None:
        return None
    first, second, third = int(found["a"]), int(found["b"]), int(found["c"])
    day, month = (first, second) if is_day_first else (second, first)
    year = third
    if len(found["a"]) == 4:
        year, month, day = first, second, third
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    try:
        return _stamp(
            datetime(year + 2000 * (year < 100), month, day, hour, int(found["minute"]), tzinfo=UTC)
        ) + int(found["second"] or 0)
    except ValueError:
        return None


def _stamp(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


READINGS = (number, _iso, _of_mail, _day_first, _month_first)
