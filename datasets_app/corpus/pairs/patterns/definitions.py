"""What something is: “X is a …”, “X means …”."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.pairs.grammar import BE, PERSONS, PREPOSITIONS, asked, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Found, Pattern
from datasets_app.corpus.pairs.told import told

ARTICLES = frozenset("a an the one any".split())
VAGUE = frozenset("lot good bad great same way case part result bit few number must".split())
MEANS = {"means": "What does {} mean?", "mean": "What do {} mean?"}


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each sentence that says what something is."""
    for one in told(page):
        question = _question(page, one.words, one.low)
        if question:
            yield Found(question, one.sentence.start, one.sentence.end)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    for at, word in enumerate(low[1:9], start=1):
        if word in BE:
            is_told = low[at + 1 : at + 2] and low[at + 1] in ARTICLES
            if not is_told or VAGUE.intersection(low[at + 2 : at + 4]) or len(low) - at < 5:
                return None
            subject = subject_of(page, words[:at])
            tail = " ".join(_head(low[at + 1 : at + 9]))
            who = "Who" if PERSONS.search(tail) and not subject_is_thing(low[:at]) else "What"
            return asked(f"{who} {word} {subject}") or _short(who, word, subject) if subject else None
        if low[at : at + 2] in (["refers", "to"], ["stands", "for"]) or word in MEANS:
            subject = subject_of(page, words[:at])
            if subject is None:
                return None
            if word in MEANS:
                return MEANS[word].format(subject)
            return f"What does {subject} {'stand for' if word == 'stands' else 'refer to'}?"
    return None


def _head(low: list[str]) -> list[str]:
    """Return the words up to what only describes them."""
    end = next((n for n, word in enumerate(low) if n and word in PREPOSITIONS | _WHO), len(low))
    return low[:end]


_WHO = frozenset("who that which where whose and".split())


def _short(who: str, verb: str, subject: str | None) -> str | None:
    return f"{who} {verb} {subject}?" if subject else None


def subject_is_thing(low: list[str]) -> bool:
    """Tell whether a subject is no person, by its article."""
    return low[0] in {"the", "a", "an", "any", "every", "your"}


PATTERN = Pattern(
    name="definitions",
    label="What something is",
    sentence="“X is a …”, “X means …”: asks what X is.",
    example=("A lease is a right to work for a while.", "What is a lease?"),
    find=find,
)
