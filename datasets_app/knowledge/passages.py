"""Passages of pages: what stands side by side is quoted together, and when it is near enough.

Measured on 60 questions about a handbook of 243 pages, by hand, and checked on two other sets
(docs/BENCHMARKS.md): of two passages about equally near either may hold the answer, so both are
quoted; where a third is as near as these, nothing tells what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from datasets_app.knowledge.find import Found, Quote
from datasets_app.knowledge.pieces import WORDS_A_PIECE, words_in

LOOKED_AT = 12  # found pieces that are joined and compared
SIDE_BY_SIDE = 0.20  # by which a neighbour may be farther that is quoted with the nearest
NEAR, CLEAR = 0.60, 0.07  # least score of the nearest, and least distance behind what is quoted
AS_NEAR, MOST_QUOTED = 0.12, 2


def is_of_page(found: Sequence[Found]) -> bool:
    """Return whether the nearest is a passage of a page that was found by meaning, too."""
    return bool(found) and bool(found[0].piece.source) and found[0].cosine is not None


def joined(found: Sequence[Found]) -> list[Found]:
    """Return what was found, with those that stand beside the nearest joined to it.

    What another one says whole on the same page is left out.
    """
    if not is_of_page(found):
        return list(found)
    nearest, rest = found[0], list(found[1:])
    parts = {nearest.piece.number: nearest.piece}
    words = words_in(nearest.piece.answer)
    while (one := _neighbour(nearest, parts.keys(), rest)) is not None:
        words += words_in(one.piece.answer)
        if words > WORDS_A_PIECE:
            break
        parts[one.piece.number] = one.piece
        rest.remove(one)
    ordered = [parts[number] for number in sorted(parts)]
    whole = "".join(piece.answer + piece.gap for piece in ordered[:-1]) + ordered[-1].answer
    merged = replace(nearest, piece=replace(ordered[0], answer=whole, gap=ordered[-1].gap))
    chosen = [merged]
    for one in rest:
        if not any(_says_whole(other, one) for other in chosen):
            chosen.append(one)
    return chosen


def page_margin(found: Sequence[Found]) -> float:
    """Return by how much the nearest passages are nearer than they must be.

    Whatever ranks, as with `nearness`: words count here as they did when the cuts were measured.
    """
    quoted = quoted_of(found)
    behind = max((one.measured for one in found[quoted:]), default=0.0)
    best = found[0].measured
    return min(best - NEAR, best - behind - CLEAR)


def quoted_of(found: Sequence[Found]) -> int:
    """Return how many of the nearest are quoted: all that are about as near as the first."""
    best = found[0].measured
    near = [one for one in found[:MOST_QUOTED] if best - one.measured <= AS_NEAR]
    return len(near)


def page_quote(found: Sequence[Found]) -> Quote:
    """Return the nearest passages in their own words, each below its page where there are two."""
    nearest = found[: quoted_of(found)]
    if len(nearest) == 1:
        return Quote(nearest[0].piece.answer, is_part=not nearest[0].piece.question)
    texts = [f"**{one.piece.source}**\n\n{one.piece.answer}" for one in nearest]
    return Quote("\n\n".join(texts), is_part=True, count=len(nearest))


def _neighbour(nearest: Found, numbers: Iterable[int], rest: Sequence[Found]) -> Found | None:
    """Return what stands beside the parts of the nearest and is about as near as it."""
    beside = {number + step for number in numbers for step in (-1, 1)}
    for one in rest:
        is_same = (one.piece.row, one.piece.source) == (nearest.piece.row, nearest.piece.source)
        is_near = nearest.measured - one.measured <= SIDE_BY_SIDE
        if is_same and is_near and one.piece.number in beside and not one.piece.question:
            return one
    return None


def _says_whole(one: Found, other: Found) -> bool:
    """Return whether one says all that another says, of the same page."""
    if one.piece.source != other.piece.source:
        return False
    said, more = (" ".join(piece.answer.split()) for piece in (other.piece, one.piece))
    return said in more or more in said
