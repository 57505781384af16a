"""When a reply says what nobody told it: in words of its own, or about somebody else's order.

A small model that finds no answer in what it was given writes one that sounds like it. Measured on
the 73 questions of the bundled sample and three tunings: of the replies with two or more words of
their own 14 of 15 were wrong, and for 13 of the 15 the nearest known answer was right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS
from datasets_app.knowledge.known import none_is_common
from datasets_app.knowledge.scripts import UNSPACED_RUN
from datasets_app.knowledge.words import BEGINNING, terms_of
from training_app.lm.grounding import Source
from training_app.lm.terms import Term, terms

MOST_OWN = 1  # words of its own that a reply may have; greetings have them too
LEAST_LETTERS = 4  # of a word that is looked at
CODE_DIGITS, NUMBER_DIGITS = 3, 5  # of an order number with and without letters; MP3 is a thing

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer may be made of: words, as they are searched for, and codes.

    Codes that other askers brought along are none of it: an answer that repeats the order number of
    its question speaks of that order alone.
    """

    terms: frozenset[str]
    codes: frozenset[str]
    codes_of_others: frozenset[str]
    is_common: Callable[[str], bool]

    @classmethod
    def of(
        cls,
        sources: Sequence[Source],
        talk: Iterable[str],
        is_common: Callable[[str], bool] = none_is_common,
    ) -> Told:
        """Return what sources and a talk tell; a common term anybody may use."""
        talk = list(talk)
        brought = [_codes(source.question) & _codes(source.answer) for source in sources]
        others = frozenset().union(*brought) - _codes(*talk)
        texts = [*(part for one in sources for part in (one.question, one.answer)), *talk]
        told = frozenset(term for text in texts for term in terms_of(text))
        return cls(told, _codes(*texts) - others, others, is_common)

    def is_left_by(self, reply: str) -> bool:
        """Return whether a reply says something else. Scripts without spaces are not looked at."""
        return not _codes(reply) <= self.codes or len(self._own_words(reply)) > MOST_OWN

    def names_others(self, text: str) -> bool:
        """Return whether a text speaks of the order of somebody who is not in the talk."""
        return not _codes(text).isdisjoint(self.codes_of_others)

    def _own_words(self, reply: str) -> set[str]:
        words = {word for word in _words(reply) if len(word) >= LEAST_LETTERS}
        return {word[:BEGINNING] for word in words - ALL_STOP_WORDS if not self._has(word)}

    def _has(self, word: str) -> bool:
        terms = list(terms_of(word))
        return not self.terms.isdisjoint(terms) or any(map(self.is_common, terms))


def without_codes(text: str, codes: frozenset[str]) -> str:
    """Return a text with these codes taken out, however they are written in it."""
    for term in terms(text) if codes else ():
        if _code(term) in codes:
            text = text.replace(term.text, " ")
    return text


def _codes(*texts: str) -> frozenset[str]:
    found = (_code(term) for text in texts for term in terms(text))
    return frozenset(filter(None, found))


def _code(term: Term) -> str:
    """Return the code that a term is, in one spelling; empty for all others."""
    if term.kind not in {"code", "number"} or term.unit:
        return ""
    code = re.sub(r"\W", "", term.text.casefold())
    least = CODE_DIGITS if term.kind == "code" else NUMBER_DIGITS
    return code if sum(map(str.isdigit, code)) >= least else ""


def _words(text: str) -> list[str]:
    spaced = text if text.isascii() else UNSPACED_RUN.sub(" ", text)
    return _WORD.findall(spaced.casefold())
