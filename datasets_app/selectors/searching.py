"""What the search line means: pieces of text, and conditions like `tag:late` or `-language:de`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q

from datasets_app.models import Dataset
from datasets_app.selectors.conditions import (
    DAY,
    FIELDS,
    FIGURE,
    HOLDS,
    IS,
    LEAST,
    MOST,
    NEGATED,
    ON,
    SINCE,
    TEXT,
    UNTIL,
    Condition,
    Field,
    condition,
    every,
)
from datasets_app.selectors.pieces import INDEXED, forms_of, holds_piece

TOKEN = re.compile(
    r'(?P<minus>-)?(?P<field>[a-z]+):(?:"(?P<quoted>[^"]+)"|(?P<value>[^\s"]\S*))'
    r'|(?P<not>-)?"(?P<phrase>[^"]+)"|(?P<word>\S+)'
)
LONGEST_FIGURE = 9  # digits
TURNED = {was: now for now, was in NEGATED.items()}
NAMED = frozenset(FIELDS) - {"text"}  # what one may ask for in the line
OTHER_NAMES = {"reason": "finding", "file": "source", "split": "side", "person": "by"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row has to be, or must not be: any of these, each with all of its conditions."""

    is_barred: bool
    any_of: tuple[tuple[Condition, ...], ...]

    def rows(self, dataset: Dataset) -> Q:
        if self.is_barred and all(
            len(one) == 1 and one[0].operator in TURNED for one in self.any_of
        ):
            turned = [Condition(c.field, TURNED[c.operator], c.value) for (c,) in self.any_of]
            return every(turned, dataset)
        found = reduce(or_, (every(one, dataset) for one in self.any_of))
        return ~found if self.is_barred else found


@dataclass(frozen=True, slots=True)
class Asked:
    """A search line as it was understood; what names a field and no value of it is plain text."""

    terms: tuple[str, ...]
    barred: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    misread: tuple[str, ...]


def asked(search: str) -> Asked:
    """Return what a search line means."""
    terms: list[str] = []
    barred: list[str] = []
    wanted: list[Wanted] = []
    misread: list[str] = []
    for found in TOKEN.finditer(search):
        field = FIELDS.get(_named(found["field"] or ""))
        if found["phrase"]:
            (barred if found["not"] else terms).append(found["phrase"])
        elif field is None:
            terms.append(found[0])
        elif meant := _meant(field, found["quoted"], found["value"]):
            wanted.append(Wanted(bool(found["minus"]), meant))
        else:
            terms.append(found[0])
            misread.append(found[0])
    return Asked(
        tuple(dict.fromkeys(terms)), tuple(dict.fromkeys(barred)), tuple(wanted), tuple(misread)
    )


def _named(name: str) -> str:
    name = OTHER_NAMES.get(name, name)
    return name if name in NAMED else ""


def _meant(field: Field, quoted: str | None, value: str) -> tuple[tuple[Condition, ...], ...]:
    """Return the conditions behind `field:value`, none where a value is not understood."""
    values = [quoted] if quoted else [one for one in value.split(",") if one]
    meant = [_conditions(field, one) for one in values]
    return tuple(meant) if all(meant) else ()


def _conditions(field: Field, value: str) -> tuple[Condition, ...]:
    if field.kind in {FIGURE, DAY}:
        parts = list(_compared(field, value))
    else:
        parts = [condition(field.name, HOLDS if field.kind == TEXT else IS, value)]
    return tuple(one for one in parts if one) if all(parts) else ()


def _compared(field: Field, value: str) -> Iterator[Condition | None]:
    """Read `70`, `70-`, `-70`, `50-70` of a figure; `>=70`, `>70`, `<=70`, `<70` of a day too."""
    low, high, same = (SINCE, UNTIL, ON) if field.kind == DAY else (LEAST, MOST, IS)
    for sign, operator, step in ((">=", low, 0), ("<=", high, 0), (">", low, 1), ("<", high, -1)):
        if value.startswith(sign):
            yield condition(field.name, operator, _next(field, value[len(sign) :], step))
            return
    ends = value.split("-") if field.kind == FIGURE else [value]
    if len(ends) == 1:
        yield condition(field.name, same, value)
    elif len(ends) == 2 and any(ends):
        if ends[0]:
            yield condition(field.name, low, ends[0])
        if ends[1]:
            yield condition(field.name, high, ends[1])


def _next(field: Field, value: str, step: int) -> str:
    """Return the figure or the day that is so many steps further; what is neither as it is."""
    if field.kind == DAY:
        try:
            return (date.fromisoformat(value) + timedelta(days=step)).isoformat()
        except (ValueError, OverflowError):
            return value
    return str(int(value) + step) if value.isdecimal() and len(value) <= LONGEST_FIGURE else value


def terms_of(search: str) -> list[str]:
    """Return the pieces that a row must hold, each of them; a phrase in quotes is one piece."""
    return list(asked(search).terms)


def misread_in(search: str) -> tuple[str, ...]:
    """Return what looks like a condition and names no value of its field."""
    return asked(search).misread


def holds(search: str, dataset: Dataset) -> Q:
    """Return the condition that a row is what the search line asks for."""
    line = asked(search)
    found = Q()
    for term in line.terms:
        found &= holds_piece(term)
    for phrase in line.barred:
        found &= ~holds_piece(phrase)
    for one in line.wanted:
        found &= one.rows(dataset)
    return found


def is_slow(search: str) -> bool:
    """Tell whether no piece has what the index knows of, so that every row is read."""
    terms = terms_of(search)
    return bool(terms) and not any(map(INDEXED.search, terms))


def hits_in(text: str, search: str) -> list[tuple[int, int]]:
    """Return where the pieces stand in the text, in order; places may overlap."""
    forms = [form for term in terms_of(search) for form in forms_of(term)]
    if not forms:
        return []
    return sorted(span for form in forms for span in _places(text, form))


def _places(text: str, form: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in re.finditer(re.escape(form), text, re.IGNORECASE))
