"""What something is: “X is a …”, “X means …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import BE, PERSONS, PREPOSITIONS, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

ARTICLES = frozenset("a an the one any".split())
VAGUE = frozenset("lot good bad great same way case part result bit few number must".split())
THINGS = frozenset("the a an any every your".split())
SAYS = {
    "means": "What does {} mean?",
    "mean": "What do {} mean?",
    "refers": "What does {} refer to?",
    "stands": "What does {} stand for?",
}


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says what something is."""
    return _question(page, one.words, one.low)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((n for n, word in enumerate(low[:9]) if n and (word in BE or word in SAYS)), 0)
    subject = subject_of(page, words[:at]) if at else None
    if subject is None:
        return None
    if low[at] in SAYS:
        is_said = low[at] in {"means", "mean"} or low[at + 1 : at + 2] in (["to"], ["for"])
        return SAYS[low[at]].format(subject) if is_said else None
    is_told = low[at + 1 : at + 2] and low[at + 1] in ARTICLES and len(low) - at >= 5
    if not is_told or VAGUE.intersection(low[at + 2 : at + 4]):
        return None
    is_person = PERSONS.search(" ".join(_head(low[at + 1 : at + 9])))
    who = "Who" if is_person and low[0] not in THINGS else "What"
    return f"{who} {low[at]} {subject}?"


def _head(low: list[str]) -> list[str]:
    """Return the words up to what only describes them."""
    end = next((n for n, word in enumerate(low) if n and word in PREPOSITIONS | _WHO), len(low))
    return low[:end]


_WHO = frozenset("who that which where whose and".split())


PATTERN = Pattern(
    name="definitions",
    label="What something is",
    sentence="“X is a …”, “X means …”: asks what X is.",
    example=("A lease is a right to work for a while.", "What is a lease?"),
    find=by_sentence(_ask),
)
