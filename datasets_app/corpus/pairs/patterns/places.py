"""Where something is: “X is located in …”."""

from __future__ import annotations

from datasets_app.corpus.pairs.grammar import BE, asked, clause, is_self_contained, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

PLACED = frozenset(
    "located stored found kept listed defined documented published available posted held placed "
    "registered saved based situated built maintained described hosted displayed".split()
)
AT = frozenset("in at on within under near inside through throughout".split())
NO_PLACE = frozenset("way order accordance addition general time case fact mind favor part".split())


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says where something is."""
    return _question(page, one.words, one.low)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((at for at, word in enumerate(low[:9]) if word in BE), 0)
    verb = at + 1 if low[at + 1 : at + 2] not in (["also"], ["only"]) else at + 2
    if not at or verb >= len(low) or low[verb] not in PLACED:
        return None
    place = next((n for n in range(verb + 1, min(len(low), verb + 5)) if low[n] in AT), 0)
    after = low[place + 1 : place + 3]
    if not place or NO_PLACE.intersection(after) or any(word[:2].isdigit() for word in after):
        return None
    subject = subject_of(page, words[:at])
    rest = clause(words[verb:place])
    if subject is None or not is_self_contained(rest):
        return None
    return asked(f"Where {low[at]} {subject}", rest)


PATTERN = Pattern(
    name="places",
    label="Where",
    sentence="“X is kept in …”, “X is listed on …”: asks where.",
    example=("The forms are kept in the blue folder.", "Where are the forms kept?"),
    find=by_sentence(_ask),
)
