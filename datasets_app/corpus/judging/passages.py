"""A text as the offline judge reads it: sentences with their words, numbers and names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS, NEGATIONS
from datasets_app.corpus.rules.words import word_spans

MOST_READ = 20_000  # characters of a text; a chunk has about a thousand
STEM, LONG = 6, 7  # what a long word is known by, in most languages: they bend the end
_WORD_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), start=2
    )
} | {"thirteen": "13", "fifteen": "15", "twenty": "20", "thirty": "30", "fifty": "50"}
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_ITEM = re.compile(r"^[ ]{0,8}\d{1,3}[.)] ", re.MULTILINE)
_END = re.compile(
    r"[.!?。！？][\"'”’)\]]{0,3}(?=\s|\Z)|[。！？]|\n{2,}|\n(?=[ ]{0,8}(?:[-*+#>|]|\d))"
)
_SHORTENED = re.compile(
    r"(?:\b(?:[A-Z]|e\.g|i\.e|vs|etc|approx|Mr|Mrs|Ms|Dr|St|Jr|Sr|No|Inc|Ltd|Co|U\.S|cf|al))\.\Z"
)
_APOSTROPHE = re.compile(r"['’]s?\Z")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: where it stands, the stems of what it says, its numbers and its names."""

    start: int
    end: int
    stems: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    has_not: bool


@dataclass(frozen=True)
class Passage:
    """A text with its sentences."""

    text: str
    sentences: tuple[Sentence, ...]

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset().union(*(one.stems for one in self.sentences))

    @cached_property
    def words(self) -> frozenset[str]:
        """Return every word as it stands, in small letters."""
        return frozenset(map(bare_word, (word for word, _, _ in word_spans(self.text))))

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset().union(*(one.numbers for one in self.sentences))

    @cached_property
    def folded(self) -> tuple[str, list[int]]:
        """Return the text in small letters with single spaces, and where each sign stood."""
        return _folded(self.text)

    def weights(self) -> dict[str, float]:
        """Return how much each stem tells about which sentence is meant."""
        counts = Counter(stem for one in self.sentences for stem in one.stems)
        total = len(self.sentences)
        return {stem: math.log(1 + total / count) for stem, count in counts.items()}

    def window(self, place: int) -> frozenset[str]:
        """Return the stems of a sentence, of the one before it and of what it stands under."""
        before = self.sentences[place - 1].stems if place else frozenset[str]()
        return self.sentences[place].stems | before | self._leads[place]

    @cached_property
    def _leads(self) -> list[frozenset[str]]:
        """Return of each sentence the stems of the heading, question or colon above it."""
        found: list[frozenset[str]] = []
        lead: frozenset[str] = frozenset()
        for one in self.sentences:
            told = self.text[one.start : one.end]
            if told.startswith("#") or told.endswith((":", "?", "？")):
                lead = one.stems
            found.append(lead)
        return found


@lru_cache(maxsize=256)
def read(text: str) -> Passage:
    """Return a text as it is read; equal texts are read once."""
    text = text[:MOST_READ]
    return Passage(text, tuple(_sentence(text, start, end) for start, end in sentence_spans(text)))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where sentences stand, items of lists and headings among them."""
    found: list[tuple[int, int]] = []
    start = 0
    for mark in _END.finditer(text):
        if text[mark.start()] == "." and _SHORTENED.search(
            text[max(0, mark.start() - 8) : mark.start() + 1]
        ):
            continue
        found += _stripped(text, start, mark.end())
        start = mark.end()
    return found + _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> list[tuple[int, int]]:
    told = text[start:end]
    start += len(told) - len(told.lstrip())
    end = start + len(told.strip())
    return [(start, end)] if start < end else []


def _sentence(text: str, start: int, end: int) -> Sentence:
    told = text[start:end]
    spans = word_spans(told)
    return Sentence(
        start,
        end,
        frozenset(stems_of(word for word, _, _ in spans)),
        numbers_in(told),
        names_in(told, spans),
        any(word in NEGATIONS or word.endswith(("n't", "n’t")) for word, _, _ in spans),
    )


def stems_of(words: Iterable[str]) -> set[str]:
    """Return what words that say something are known by."""
    return {stem(word) for word in words if word not in ALL_STOP_WORDS}


def bare_word(word: str) -> str:
    return _APOSTROPHE.sub("", word)


def stem(word: str) -> str:
    word = bare_word(word)
    if len(word) >= LONG and word.isalpha():
        return word[:STEM]
    return word[:-1] if len(word) > 3 and word.endswith("s") and word.isascii() else word


def numbers_in(text: str) -> frozenset[str]:
    """Return the numbers of a text as they are compared; those that count items are none."""
    text = _ITEM.sub(" ", text)
    found = {_plain_number(one) for one in _NUMBER.findall(text)}
    found |= {_WORD_NUMBERS[word] for word in text.lower().split() if word in _WORD_NUMBERS}
    return frozenset(found)


def _plain_number(told: str) -> str:
    head, _, tail = told.partition(",")
    if tail and all(len(part.split(".")[0]) == 3 for part in tail.split(",")):
        told = head + tail.replace(",", "")
    whole, _, rest = told.partition(".")
    return whole.lstrip("0") or "0" if rest and not rest.strip("0") else told


def names_in(text: str, spans: Sequence[tuple[str, int, int]] | None = None) -> frozenset[str]:
    """Return the words with a capital, but for one that only opens the sentence."""
    found = set()
    spans = word_spans(text) if spans is None else spans
    for place, (word, start, _) in enumerate(spans):
        is_name = text[start].isupper() and word not in ALL_STOP_WORDS and len(word) > 1
        if is_name and (place or _opens_with_name(spans)):
            found.add(bare_word(word))
    return frozenset(found)


_VERBS = frozenset(
    "is are was were has have had does do did will can could may must offers offer provides".split()
)


def _opens_with_name(spans: Sequence[tuple[str, int, int]]) -> bool:
    """Tell whether the first word is what a sentence speaks of, or all that there is."""
    return len(spans) <= 3 or spans[1][0] in _VERBS


def _folded(text: str) -> tuple[str, list[int]]:
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        told = " " if sign.isspace() else sign.lower()[:1]
        if told == " " and signs and signs[-1] == " ":
            continue
        signs.append(told)
        places.append(place)
    return "".join(signs), places


def span_of(answer: str, passage: Passage) -> tuple[int, int] | None:
    """Return where a text stands word for word, whatever its spaces and capitals."""
    wanted, _ = _folded(answer.strip())
    text, places = passage.folded
    start = text.find(wanted) if wanted else -1
    if start < 0:
        return None
    return places[start], places[start + len(wanted) - 1] + 1
