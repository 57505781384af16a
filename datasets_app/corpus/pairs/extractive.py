"""Questions and answers out of a text without any model: each answer is what stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter

from datasets_app.corpus.language import language_of_text
from datasets_app.corpus.pairs.page import Page, page_of
from datasets_app.corpus.pairs.registry import PATTERNS

MOST_QUESTIONS = 20
TEMPLATES, LATE = ("{%", "{{"), 1000  # what a generator of sites has not filled in comes last


@dataclass(frozen=True, slots=True)
class Extract:
    """A pair, its answer word for word at `[start, end)` of the document."""

    question: str
    answer: str
    start: int
    end: int
    pattern: str


def read_page(text: str, title: str, headings: Sequence[tuple[int, int]] = ()) -> Page:
    """Tell the parts of a document's text; `headings` are the places and levels known already."""
    return page_of(text, title=title, language=language_of_text(text), headings=headings)


def extract(page: Page, patterns: Collection[str] = PATTERNS) -> list[Extract]:
    """Return all pairs of a document by their places; of one sentence only the first pattern's.

    In a language that a pattern does not know it finds nothing.
    """
    found: list[Extract] = []
    taken: set[tuple[int, int]] = set()
    asked: set[str] = set()
    for pattern in PATTERNS.values():
        knows = not pattern.languages or page.language in pattern.languages
        if pattern.name not in patterns or not knows:
            continue
        for one in pattern.find(page):
            key = one.question.casefold()
            if (one.start, one.end) in taken or key in asked:
                continue
            taken.add((one.start, one.end))
            asked.add(key)
            answer = page.said(one.start, one.end)
            if pattern.name in {"lists", "questions"}:
                answer = page.text[one.start : one.end].strip()
            found.append(Extract(one.question, answer, one.start, one.end, pattern.name))
    return sorted(found, key=lambda one: (one.start, one.end))


def of_chunk(
    found: Sequence[Extract], start: int, end: int, *, before: int = 0, most: int = 3
) -> list[Extract]:
    """Return the pairs of one chunk; what lies whole in the one before (to `before`) is its own.

    `found` is in the order of `extract`.
    Where there are more than wanted, no pattern comes again before the others had their turn.
    """
    first = bisect_left(found, start, key=attrgetter("start"))
    behind = bisect_left(found, end, lo=first, key=attrgetter("start"))
    own = [one for one in found[first:behind] if before < one.end <= end]
    order = {name: number for number, name in enumerate(PATTERNS)}
    used: Counter[str] = Counter()
    turns: list[tuple[int, int, int, Extract]] = []
    for one in own:
        late = LATE if any(sign in one.answer for sign in TEMPLATES) else 0
        turns.append((used[one.pattern] + late, order[one.pattern], one.start, one))
        used[one.pattern] += 1
    chosen = [one for *_, one in sorted(turns, key=lambda turn: turn[:3])][:most]
    return sorted(chosen, key=lambda one: one.start)
