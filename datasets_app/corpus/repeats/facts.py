"""What two texts state differently: numbers, negations, names. Such texts are no repeats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from datasets_app.corpus.rules.small_words import (
    ALL_STOP_WORDS,
    DAYS,
    DECISIVE_WORDS,
    MONTHS,
    NEGATED,
    NUMBER_WORDS,
)

_CAPITAL = re.compile(r"(?<![.!?:…\n\"“„»] )(?<!\A)(?<![\n\"“„«(])\b[^\W\d_a-z]\w*")
_SIGNED = re.compile(r"[\d#@%‰&§+/\\]")
_NOT = re.compile(r"n t(?!\w)")  # what is bare of “don’t”
DECIDING = DECISIVE_WORDS | NUMBER_WORDS
COUNTING = NUMBER_WORDS - DAYS
NO_NAMES = DECIDING | DAYS | MONTHS
"""What is told by itself, although it is written with a capital."""
OUTWEIGHED = {
    "number": 3.0,
    "day": 3.0,
    "month": 3.0,
    "negation": 3.0,
    "name": 2.0,
    "subject": 2.0,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Words of one text only that change what is stated, and the words that say so to people."""

    kind: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def weight(self) -> float:
        return OUTWEIGHED[self.kind]


def deciding_words(bare_text: str) -> set[str]:
    """Return the numbers, yes and no, and negations of a bare text."""
    words = bare_text.split()
    found = DECIDING.intersection(words)
    if _SIGNED.search(bare_text):
        found |= set(filter(_SIGNED.search, words))
    if _NOT.search(bare_text) or NEGATED.search(bare_text[-20:]):
        found |= {"not"}
    return set(found)


def names_in(text: str) -> set[str]:
    """Return the words written with a capital inside a sentence, in small letters."""
    return {word.casefold() for word in _CAPITAL.findall(text)}


def differences(left: str, right: str, *, bare: tuple[str, str]) -> list[Difference]:
    """Return what the two texts state differently; `bare` are their bare texts."""
    one, other = (set(text.split()) for text in bare)
    decided = [deciding_words(text) for text in bare]
    found = []
    months = (names_in(left) | names_in(right)) & MONTHS  # “Mai” is “never” elsewhere
    for kind, test in (("number", _is_number), ("negation", _is_negation)):
        mine = [set(filter(test, words)) - months for words in decided]
        if mine[0] != mine[1]:
            found.append(_difference(kind, mine[0] - mine[1], mine[1] - mine[0]))
    if one & DAYS != other & DAYS:
        found.append(_difference("day", (one - other) & DAYS, (other - one) & DAYS))
    only_left = (names_in(left) - other - ALL_STOP_WORDS) & one
    only_right = (names_in(right) - one - ALL_STOP_WORDS) & other
    for kind, among in (("month", MONTHS), ("name", (only_left | only_right) - NO_NAMES)):
        if (only_left | only_right) & among:
            found.append(_difference(kind, only_left & among, only_right & among))
    subjects = _repeated(bare[0]) - other, _repeated(bare[1]) - one
    if all(subjects):  # what is asked and answered about each time is another thing
        found.append(_difference("subject", *subjects))
    return found


def _repeated(bare_text: str) -> set[str]:
    """Return the words that say something and stand in the text more than once."""
    counts = Counter(bare_text.split())
    return {word for word, count in counts.items() if count > 1} - ALL_STOP_WORDS - DECIDING


def _is_number(word: str) -> bool:
    return word in COUNTING or _SIGNED.search(word) is not None


def _is_negation(word: str) -> bool:
    return not _is_number(word) and word not in DAYS


def _difference(kind: str, left: Iterable[str], right: Iterable[str]) -> Difference:
    return Difference(kind, tuple(sorted(left)), tuple(sorted(right)))
