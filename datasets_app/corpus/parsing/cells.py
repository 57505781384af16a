"""Cells and names of columns as people say them: dates, money, units, what is missing."""

from __future__ import annotations

import re
from functools import lru_cache

MISSING = frozenset(
    (
        "- -- – — . ? / n/a na n.a. nan nil null none #n/a #na (null) (none) (blank) <na> nat \\n"
    ).split()
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(?::\d\d)?(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?\Z"
)
_NUMBER = re.compile(r"\A[+-]?\d[\d.,'\u00a0\u202f]*(?:[eE][+-]?\d{1,3})?\Z")
_WHOLE = re.compile(r"\A([+-]?\d+)\.0\Z")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKETS = re.compile(r"[ _]?[(\[]([^()\[\]]{1,20})[)\]]\Z")
_IN = re.compile(r"[ _]in[ _](\S{1,12})\Z", re.IGNORECASE)
_UNITS = {
    unit.casefold(): unit
    for unit in (
        "EUR USD GBP CHF JPY CNY PLN CZK SEK NOK DKK INR BRL € $ £ ¥ % kg g mg lb oz km m cm mm mi "
        "ft in l ml h min s ms kWh W kW V A °C °F GB MB TB GHz MHz"
    ).split()
}
_AFTER_DASH = frozenset(
    "eur usd gbp chf jpy cny pln czk sek nok dkk inr brl kg mg lb oz km cm mm ml kwh kw gb mb tb "
    "ghz mhz min ms".split()
)
_YES, _NO = frozenset({"yes", "true", "y", "t"}), frozenset({"no", "false", "n", "f"})


def tidy(cell: str) -> str:
    """Return a cell on one line; "" where it says that nothing is known."""
    text = " ".join(cell.split())
    if text.casefold() in MISSING:
        return ""
    whole = _WHOLE.match(text)  # so programs write whole numbers where some are missing
    return whole[1] if whole else text


def is_number(cell: str) -> bool:
    """Say whether a cell is a number and nothing else."""
    return bool(_NUMBER.match(cell))


def truth(cell: str) -> bool | None:
    """Return what a cell of yes or no says; None for any other."""
    plain = cell.casefold()
    return True if plain in _YES else False if plain in _NO else None


def date_words(cell: str) -> str:
    """Return a date as words, and its time unless that is midnight; any other cell as it is."""
    found = _DATE.match(cell)
    if not found or not 1 <= int(found[2]) <= 12:
        return cell
    day = f"{int(found[3])} {MONTHS[int(found[2]) - 1]} {int(found[1])}"
    return f"{day}, {found[4]}" if found[4] and found[4] != "00:00" else day


def number_words(cell: str) -> str:
    """Return a number with its thousands apart; any other cell as it is."""
    try:
        return f"{int(cell):,}" if cell.lstrip("+-").isdigit() else f"{float(cell):,}"
    except ValueError:
        return cell


def spelled(column: str, cell: str) -> str:
    """Return a cell as a sentence says it: a date in words, a number with its unit."""
    unit = _parts(column)[1]
    if unit and is_number(cell):
        if unit in {"$", "£", "¥"}:
            return f"{unit}{cell}"
        return f"{cell}%" if unit == "%" else f"{cell} {unit}"
    return date_words(cell)


def named(column: str) -> str:
    """Return the name of a column as words, without its unit."""
    return _parts(column)[0]


@lru_cache(4096)
def _parts(column: str) -> tuple[str, str]:
    """Return the words of a column's name and the unit that stands in it, or ""."""
    name = " ".join(column.split())
    found = _BRACKETS.search(name) or _IN.search(name)
    unit = _UNITS.get(found[1].strip().casefold(), "") if found else ""
    if found and unit:
        name = name[: found.start()]
    elif (last := name.replace("-", "_").rpartition("_")[2].casefold()) in _AFTER_DASH:
        unit, name = _UNITS[last], name[: -len(last) - 1] or name
    is_code = "_" in name or (" " not in name and bool(_CAMEL.search(name)))
    words = _CAMEL.sub(" ", name).replace("_", " ").split()
    if is_code:
        words = [word if word.isupper() and len(word) > 1 else word.casefold() for word in words]
    return " ".join(words) or column, unit
