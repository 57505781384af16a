"""Texts cut where something is marked: what a rule objects to, and what somebody searched for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

Span = tuple[int, int]
SHOWN_BEFORE, SEEN_AT_ONCE = 24, 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, marked where a rule objects or the search found something."""

    text: str
    is_marked: bool = False
    is_hit: bool = False


def marked(text: str, spans: Iterable[Span], hits: Iterable[Span] = ()) -> list[Piece]:
    """Cut a text at the borders of sorted spans and hits; together the pieces are the text."""
    objected, found = _apart(spans, len(text)), _apart(hits, len(text))
    borders = {0, len(text)}.union(*objected, *found)
    places = sorted(borders)
    return [
        Piece(text[start:end], is_marked=_within(objected, start), is_hit=_within(found, start))
        for start, end in pairwise(places)
    ]


def at_hit(text: str, hits: list[Span]) -> list[Piece]:
    """Return the pieces of a beginning in one line, cut so that the first hit is to be seen."""
    start = hits[0][0] - SHOWN_BEFORE if hits and hits[0][1] > SEEN_AT_ONCE else 0
    left = [(max(0, one - start), end - start) for one, end in hits]
    return [Piece("…")] * bool(start) + marked(text[start:], (), left)


def _apart(spans: Iterable[Span], length: int) -> list[Span]:
    """Return sorted spans without what they have in common, the last first."""
    apart: list[Span] = []
    place = 0
    for start, end in spans:
        one = max(start, place), min(end, length)
        if one[0] < one[1]:
            apart.append(one)
            place = one[1]
    return apart[::-1]


def _within(spans: list[Span], place: int) -> bool:
    """Tell whether the place is inside; asked in order, what lies before is forgotten."""
    while spans and spans[-1][1] <= place:
        spans.pop()
    return bool(spans) and spans[-1][0] <= place
