"""What kind of thing a question asks for, and whether a text has one: an amount, a time, a person.

Words and vectors find what a text is about; of two texts about badges only one says on which day
they are made. English questions only: others ask for nothing here, and lose nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from datasets_app.corpus.rules.small_words import STOP_WORDS
from datasets_app.knowledge.words import terms_of, words_of

_NUMBER = (
    r"(?:[0-9][0-9.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|"
    r"half|hundred|thousand|million|an?|no|unlimited|up to)"
)
_SPAN = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|quarters?|pay periods?)"
_DURATION = re.compile(
    rf"\b{_NUMBER}(?:[- ]\w+){{0,2}}[- ]{_SPAN}\b|\b[0-9]+(?:min|hrs?|h|s)\b", re.IGNORECASE
)
_OFTEN = re.compile(
    rf"\b(?:every|once|twice|each|per)\b|(?:dai|week|month|quarter|year|annual|hour)ly\b"
    rf"|\b{_NUMBER} times\b",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:19|20)[0-9]{2}\b"
    r"|\b(?-i:(?=[A-Z]))(?:january|february|march|april|may|june"  # one may march
    r"|july|august|september|october|november|december)\b"
    r"|\b[0-9]{1,2}(?::[0-9]{2})? ?[ap]\.?m\b|\b(?:noon|midnight|deadline|end of (?:the )?\w+)\b"
    r"|\b(?:after|before|within|until|by)\b",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"[$€£¥][ ]?[0-9]|\b[0-9][0-9.,]* ?(?:dollars?|euros?|cents?|usd|eur|%)|\bfree\b", re.IGNORECASE
)
_AMOUNT = re.compile(
    r"[0-9]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"\S@\S|https?://|#\w|\bslack\b|\bcontact\b|\bask\b", re.IGNORECASE)

_CAPITAL = re.compile(r"(?<![.!?] )(?<![\w'’-])[A-Z]\w{1,30}")
SHORTEST_NAME = 3
FEWEST_OF_A_TITLE = 3  # words with a capital: fewer may be a name

Test = Callable[[str], bool]


def wanted(question: str) -> Test | None:
    """Return what tells whether a text has what is asked for; None where no kind is asked for."""
    words = list(words_of(question))
    pairs = set(pairwise(words))
    if found := next((pair for pair in pairs if pair[0] == "how" and pair[1] in _HOW), None):
        return _how(found[1], words)
    if "when" in words[:3] or ("by", "when") in pairs or pairs & _WHEN:
        return _has(_MOMENT, _DURATION)
    if {"price", "cost", "fare", "fee", "salary"} & set(words) and words[0] in {"what", "which"}:
        return _has(_PRICE)
    if (words[:1] and words[0] == "whom") or pairs & _WHOM:
        return _has(_ADDRESS)
    if pairs & _WHICH_NUMBER:
        return _has(_AMOUNT)
    return None


def names_in(question: str) -> frozenset[str]:
    """Return the terms of what a question writes with a capital inside it: names, codes.

    None where a capital tells no name: in German, in another language, and in titles.
    """
    _, _, rest = question.strip().partition(" ")
    capitals = _CAPITAL.findall(rest)
    if not capitals or not _is_english(question) or _is_title(rest, capitals):
        return frozenset()
    words = (word for word in capitals if len(word) >= SHORTEST_NAME)
    return frozenset(next(iter(terms_of(word)), word.casefold()) for word in words)


def _is_english(question: str) -> bool:
    """Return whether at least two small words are English, and fewer of any other language."""
    words = frozenset(re.findall(r"\w+", question.casefold()))
    counts = {language: len(words & small) for language, small in STOP_WORDS.items()}
    english = counts.pop("en")
    return english > max(1, *counts.values())


def _is_title(rest: str, capitals: list[str]) -> bool:
    """Return whether all words begin with a capital, or all but the small ones."""
    small = STOP_WORDS["en"]
    telling = [one for one in re.findall(r"[^\W\d_]{2,}", rest) if one.casefold() not in small]
    if any(one.islower() for one in telling):
        return False
    return len(telling) >= FEWEST_OF_A_TITLE or any(one.casefold() in small for one in capitals)


_HOW = frozenset("many much long often fast quickly soon early late far old".split())
_WHEN = {
    *((one, two) for one in ("which", "what") for two in ("day", "date", "month", "year", "time")),
}
_WHOM = {("who", "do"), ("who", "can"), ("who", "should"), ("where", "send"), ("to", "whom")}
_WHICH_NUMBER = {
    *(
        (one, two)
        for one in ("which", "what")
        for two in ("floor", "room", "amount", "share", "percentage")
    ),
}


def _how(word: str, words: list[str]) -> Test:
    behind = words[words.index(word) + 1 :][:1]
    if word == "often":
        return _has(_OFTEN, _DURATION)
    if word == "much" and behind and behind[0] not in _MASSES:
        return _has(_PRICE, _DURATION)
    if word in {"many", "much"} and behind:
        stem = behind[0].rstrip("s")[:6]
        if len(stem) > 2:
            counted = rf"\b{_NUMBER}[- ](?:[\w-]{{1,30}}[ ]){{0,3}}{re.escape(stem)}"
            near = re.compile(counted, re.IGNORECASE)
            return _has(near) if stem in _UNITS else _has(near, _AMOUNT)
    return _has(_DURATION, _AMOUNT) if word in {"long", "old", "far"} else _has(_DURATION, _MOMENT)


_MASSES = frozenset("time leave vacation money work working paid unpaid".split())
_UNITS = frozenset("second minute hour day week month year".split())


def _has(*patterns: re.Pattern[str]) -> Test:
    return lambda text: any(pattern.search(text) for pattern in patterns)
