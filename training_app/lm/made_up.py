"""When a reply says what nobody told it: in words of its own, or about somebody else's order.

A small model that finds no answer in what it was given writes one that sounds like it. Measured on
the 73 questions of the bundled sample and three tunings: of the replies with two or more words of
their own 14 of 15 were wrong, and for 13 of the 15 the nearest known answer was right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from datasets_app.corpus.conversation import Turn
from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS
from datasets_app.knowledge.find import Quote
from datasets_app.knowledge.known import NOTHING_KNOWN, Known
from datasets_app.knowledge.scripts import UNSPACED_RUN
from datasets_app.knowledge.words import BEGINNING, LONGEST_WORD, terms_of, words_of
from training_app.lm.grounding import Source, source_of
from training_app.lm.terms import Term, terms

MOST_OWN = 1  # words of its own that a reply may have; greetings have them too
LEAST_LETTERS = 4  # of a word that is looked at
FEWEST_COMMON, COMMON = 3, 0.05  # pieces, and the share of all, that have a word of no meaning
ONE_TALK, SERIES = 2, 20  # pieces that hold a code of one talk, and what such codes begin with
CODE_DIGITS, NUMBER_DIGITS = 3, 5  # of an order number with and without letters; MP3 is a thing

_DIGITS = re.compile(r"[0-9]+")
_SMALL = frozenset(word for small in ALL_STOP_WORDS for word in words_of(small))


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer may be made of: words, as they are searched for, and codes.

    The order numbers of other askers are none of it. Such a code stands in the question of a source
    and not in this talk, which has one of the same kind; or else no other talk has it, and it is
    one of a series: another source's asker has one of the same kind, or much that is known begins
    like it. A hotline and a product that many ask about are no such things.
    """

    terms: frozenset[str]
    codes: frozenset[str]
    codes_of_others: frozenset[str]
    not_copied: frozenset[str]  # those in whose place the talk has one
    known: Known

    @classmethod
    def of(
        cls, sources: Sequence[Source], talk: Iterable[str], known: Known = NOTHING_KNOWN
    ) -> Told:
        """Return what sources and a talk tell. What is common in all that is known may be said."""
        talk = list(talk)
        texts = [*(part for one in sources for part in (one.question, one.answer, one.page)), *talk]
        told = frozenset(term for text in texts for term in terms_of(text))
        ours = set(map(_kind, _codes(*talk)))
        others = _codes_of_others(sources, talk, ours, known)
        mistaken = frozenset(code for code in others if _kind(code) in ours)
        return cls(told, _codes(*texts) - others, others, mistaken, known)

    def is_left_by(self, reply: str) -> bool:
        """Return whether a whole reply says something else."""
        return Watch(self).hears(reply, is_whole=True)

    def names_others(self, text: str) -> bool:
        """Return whether a text speaks of the order of somebody who is not in the talk."""
        return not _codes(text).isdisjoint(self.codes_of_others)

    def has_codes_of(self, text: str) -> bool:
        """Return whether each code of a text was told."""
        return _codes(text) <= self.codes

    def own_words(self, text: str) -> set[str]:
        """Return the words of a text that nobody told.

        Words of scripts without spaces, small words, and words with digits are not looked at.
        """
        spaced = text if text.isascii() else UNSPACED_RUN.sub(" ", text)
        words = {word for word in words_of(spaced) if len(word) >= LEAST_LETTERS}
        looked_at = (word for word in words - _SMALL if not _DIGITS.search(word))
        return {word for word in looked_at if not self._has(word)}

    def _has(self, word: str) -> bool:
        found = list(terms_of(word))
        if not self.terms.isdisjoint(found):
            return True
        common = max(FEWEST_COMMON, COMMON * self.known.pieces)
        return any(self.known.holders(term) >= common for term in found)


@dataclass(slots=True)
class Watch:
    """Looks at an answer while it is written, each word once it is whole."""

    told: Told
    is_lost: bool = False  # the answer says what nobody told
    _own: set[str] = field(default_factory=set)  # beginnings of words
    _end: int = 0  # of what was looked at

    def hears(self, text: str, *, is_whole: bool = False) -> bool:
        """Return whether the answer, which begins with this text, says what nobody told."""
        end = len(text) if is_whole else _end_of_words(text, self._end)
        more, self._end = text[self._end : end], end
        words = self.told.own_words(more)
        self._own |= {word[:BEGINNING] for word in words}
        is_gibberish = any(len(word) > LONGEST_WORD for word in words)
        if is_gibberish or len(self._own) > MOST_OWN or not self.told.has_codes_of(more):
            self.is_lost = True
        return self.is_lost


def quote_for(turns: Sequence[Turn], known: Known) -> Quote | None:
    """Return what can be said to the last turn word for word.

    None where nothing is near, and where the nearest answer is about another asker's order.
    """
    quote = known.quote
    if quote is None:
        return None
    sources = [source_of(one.piece) for one in known.found]
    told = Told.of(sources, [turn.text for turn in turns], known)
    return None if told.names_others(quote.text) else quote


def without_codes(text: str, codes: frozenset[str]) -> str:
    """Return a text with these codes taken out, however they are written in it."""
    found = {term.text for term in terms(text) if _code(term) in codes} if codes else set()
    for written in found:
        text = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", " ", text)
    return text


def _codes_of_others(
    sources: Sequence[Source], talk: Sequence[str], ours: set[str], known: Known
) -> frozenset[str]:
    brought: dict[str, str] = {}
    for source in sources:
        asked = ((_code(term), term.text) for term in terms(source.question))
        brought |= {code: written for code, written in asked if code}
    named = set(_DIGITS.findall("\n".join(talk)))
    kinds = list(map(_kind, _codes(*(source.question for source in sources))))

    def is_ones_own(code: str, written: str) -> bool:
        whole, *parts = [*map(known.holders, terms_of(written))] or [0]
        is_series = kinds.count(_kind(code)) > 1 or (parts or [0])[0] >= SERIES
        return _kind(code) in ours or (whole <= ONE_TALK and is_series)

    return frozenset(
        code
        for code, written in brought.items()
        if named.isdisjoint(_DIGITS.findall(code)) and is_ones_own(code, written)
    )


def _kind(code: str) -> str:
    """Return what codes have in common that number things alike: letters, or how many digits."""
    return _DIGITS.sub("", code) or str(len(code))


def _codes(*texts: str) -> frozenset[str]:
    found = (_code(term) for text in texts for term in terms(text))
    return frozenset(filter(None, found))


def _code(term: Term) -> str:
    """Return the code that a term is, in one spelling; empty for all others."""
    if term.kind not in {"code", "number"} or term.unit:
        return ""
    least = CODE_DIGITS if term.kind == "code" else NUMBER_DIGITS
    code = re.sub(r"\W", "", term.text.casefold())
    return code if sum(map(str.isdigit, code)) >= least else ""


def _end_of_words(text: str, start: int) -> int:
    """Return where the word begins that a text may still be in; one without end is looked at."""
    end = len(text)
    while end > start and not text[end - 1].isspace():
        end -= 1
    return end if len(text) - end < 2 * LONGEST_WORD else len(text)
