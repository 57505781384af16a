"""Conditions put together: all of some groups, of each any; in an address, in words, in a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import QueryDict

from datasets_app.models import Dataset, SourceFile
from datasets_app.selectors.conditions import (
    COMPARED,
    DAY,
    FIELDS,
    FIGURE,
    OPERATORS,
    Condition,
    Field,
    condition,
)
from datasets_app.selectors.tags import tags_of_dataset

MOST_CONDITIONS = 20
MOST_OFFERED = 200  # names of files, tags, people
AND, OR = ";", "|"  # between conditions in an address
JOINS = {"and": "and", "or": "or"}
SPLIT = re.compile(r"([;|])")
ESCAPES = {"%": "%25", AND: "%3B", OR: "%7C"}
Groups = tuple[tuple[Condition, ...], ...]


def read_groups(written: str) -> Groups:
    """Return the groups that an address names; what it does not understand is left out."""
    groups: list[list[Condition]] = []
    parts = SPLIT.split(written)[: 2 * MOST_CONDITIONS - 1]
    for place in range(0, len(parts), 2):
        found = _read(parts[place])
        if found is None:
            continue
        if place and parts[place - 1] == OR and groups:
            groups[-1].append(found)
        else:
            groups.append([found])
    return tuple(map(tuple, groups))


def _read(part: str) -> Condition | None:
    field, _, rest = part.partition(".")
    operator, _, value = rest.partition(".")
    for sign, escape in reversed(ESCAPES.items()):
        value = value.replace(escape, sign)
    return condition(field, operator, value)


def written_groups(groups: Groups) -> str:
    """Return the groups as an address names them."""
    return AND.join(OR.join(map(_written, group)) for group in groups)


def _written(one: Condition) -> str:
    value = one.value
    for sign, escape in ESCAPES.items():
        value = value.replace(sign, escape)
    return f"{one.field}.{one.operator}.{value}"


def read_where(written: str) -> str:
    """Return what an address names in its one spelling."""
    return written_groups(read_groups(written))


def meets(written: str, dataset: Dataset) -> Q:
    """Return the condition that a row meets every group."""
    found = Q()
    for group in read_groups(written):
        found &= reduce(or_, (one.rows(dataset) for one in group))
    return found


def sentence(groups: Groups) -> str:
    """Return the conditions as one says them."""
    return " ".join(f"{before}{words}{behind}" for before, words, behind, _ in said(groups))


def said(groups: Groups) -> list[tuple[str, str, str, str]]:
    """Return the parts of the sentence: a condition between signs, and what is left without it."""
    parts = []
    for number, group in enumerate(groups):
        has_signs = len(group) > 1 and len(groups) > 1
        for place, one in enumerate(group):
            joined = "or " if place else "and " if number else ""
            others = (*group[:place], *group[place + 1 :])
            left = (*groups[:number], *((others,) if others else ()), *groups[number + 1 :])
            before = joined + ("(" if has_signs and not place else "")
            behind = ")" if has_signs and place == len(group) - 1 else ""
            parts.append((before, one.words, behind, written_groups(left)))
    return parts


# The form ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """A line of the form, as it was filled in; `error` says what is missing."""

    number: int
    join: str
    field: Field
    operator: str
    value: str
    error: str = ""

    @property
    def operators(self) -> list[tuple[str, str]]:
        return [(one, OPERATORS[one]) for one in COMPARED[self.field.kind]]

    @property
    def is_day(self) -> bool:
        return self.field.kind == DAY

    @property
    def is_figure(self) -> bool:
        return self.field.kind == FIGURE

    @property
    def condition(self) -> Condition | None:
        return condition(self.field.name, self.operator, self.value)


def lines_of(groups: Groups) -> list[Line]:
    """Return the lines of a form that says these conditions; an empty one where there are none."""
    lines = [
        Line(0, "or" if place else "and", FIELDS[one.field], one.operator, one.value)
        for group in groups
        for place, one in enumerate(group)
    ]
    return _numbered(lines or [empty_line()])


def empty_line() -> Line:
    first = next(iter(FIELDS.values()))
    return Line(0, "and", first, COMPARED[first.kind][0], "")


def sent_lines(query: QueryDict) -> list[Line]:
    """Return the lines as a form sent them; a field that was changed begins anew."""
    columns = (query.getlist(name) for name in ("join", "was", "field", "op", "value"))
    lines = []
    for join, was, name, sent, value in zip(*columns, strict=False):
        field = FIELDS.get(name)
        if field is None:
            continue
        operator = sent if sent in COMPARED[field.kind] else COMPARED[field.kind][0]
        known = join if join in JOINS else "and"
        lines.append(Line(0, known, field, operator, value if was == name else ""))
    return _numbered(lines[:MOST_CONDITIONS])


def _numbered(lines: Sequence[Line]) -> list[Line]:
    return [
        Line(number, one.join if number else "and", one.field, one.operator, one.value, one.error)
        for number, one in enumerate(lines)
    ]


def without(lines: Sequence[Line], number: str) -> list[Line]:
    """Return the lines but the one of this number."""
    return _numbered([one for one in lines if str(one.number) != number])


def with_another(lines: Sequence[Line]) -> list[Line]:
    return _numbered([*lines, empty_line()][:MOST_CONDITIONS])


def checked(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with what is wrong with each."""
    return [
        Line(one.number, one.join, one.field, one.operator, one.value, _wrong(one)) for one in lines
    ]


def _wrong(line: Line) -> str:
    if line.condition is not None:
        return ""
    if line.is_figure:
        return f"Write a whole number for {line.field.words}."
    if line.is_day:
        return "Write a day like 2026-01-31."
    return f"Say which {line.field.words} is meant."


def groups_of(lines: Sequence[Line]) -> Groups:
    """Return what the lines say, as far as they are understood."""
    groups: list[list[Condition]] = []
    for line in lines:
        found = line.condition
        if found is None:
            continue
        if line.join == "or" and groups:
            groups[-1].append(found)
        else:
            groups.append([found])
    return tuple(map(tuple, groups))


def offered(dataset: Dataset, lines: Sequence[Line]) -> dict[str, list[str]]:
    """Return words that exist, for the fields of these lines that take a word."""
    named = {line.field.name for line in lines} & OFFERS.keys()
    return {name: OFFERS[name](dataset) for name in sorted(named)}


def _people(_: Dataset) -> list[str]:
    return list(User.objects.order_by("username").values_list("username", flat=True)[:MOST_OFFERED])


def _files(dataset: Dataset) -> list[str]:
    files = SourceFile.objects.filter(upload__dataset=dataset).order_by("name")
    return list(files.values_list("name", flat=True).distinct()[:MOST_OFFERED])


OFFERS: dict[str, Callable[[Dataset], list[str]]] = {
    "tag": lambda dataset: [tag.name for tag in tags_of_dataset(dataset)[:MOST_OFFERED]],
    "source": _files,
    "by": _people,
    "decided": _people,
}
