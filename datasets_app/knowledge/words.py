"""Finds pieces by their words: an inverted index with BM25 weights in files that are mapped.

Rare words weigh more, so an order number or a product code finds its row although no vector knows
what it means. Numbers and codes stay whole besides their parts; scripts without spaces are read in
pairs of signs; of a long word its beginning is indexed too, since most languages bend the end.

What a word is made of counts besides, where it is asked for alone: “Kosten” finds
“Versandkosten”, and one sign the words that it stands in. Arabic is read without vowel marks and
articles, and its letters as they are typed.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets_app.knowledge.layout import mapped
from datasets_app.knowledge.scripts import IDEOGRAPHS, UNSPACED_RUN

TERMS, STARTS, POSTINGS, IMPACTS = "terms.u64", "starts.u64", "postings.u32", "impacts.f16"
QUESTION_WEIGHT, ANSWER_WEIGHT, CONTEXT_WEIGHT, SOURCE_WEIGHT = 2.0, 1.0, 0.5, 1.0
MOST_TERMS = 256  # of a question; a pasted page is no question
K1, B = 1.2, 0.75  # how soon a repeated word counts no more; how much a long text is held back
BUCKETS = 64  # parts of the index that are sorted one at a time
BEGINNING = 5
LEFT, RIGHT = 4, 5  # letters at least of what a long word is made of
INSIDE = 0.5  # of the weight that the word itself has
LONGEST_WORD = 40  # that is made of others
AT_ONCE = 65_536  # postings held until they are written to their buckets

Scores = npt.NDArray[np.float32]

_POSTING = np.dtype([("term", np.uint64), ("piece", np.uint32), ("count", np.float32)])


def _marks() -> str:
    signs = (chr(code) for code in range(sys.maxunicode // 17))
    return re.escape("".join(sign for sign in signs if unicodedata.category(sign)[0] == "M"))


_HARAKAT = re.compile("[\u064b-\u065f\u0670\u0640]")
_ARABIC = str.maketrans(
    "\u0622\u0623\u0625\u0671\u0649\u06cc\u0629\u06a9",
    "\u0627\u0627\u0627\u0627\u064a\u064a\u0647\u0643",
)
_ARTICLE = re.compile(
    "^[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644)(?=[\u0620-\u064a]{3})"
)

_IN_WORD = rf"[\w{_marks()}]+"
_WORD = re.compile(rf"{_IN_WORD}(?:[-./:@#'’+]{_IN_WORD})*")
_JOINT = re.compile(r"[-./:@#'’+]")


def terms_of(text: str) -> Iterator[str]:
    """Yield the terms of a text in order: equal for forms that mean the same word."""
    for found in _WORD.finditer(_plain(text)):
        word = found.group()
        parts = _JOINT.split(word)
        if len(parts) > 1 and any(sign.isdigit() for sign in word):
            yield word
        for part in filter(None, parts):
            yield from _terms_of_part(part)


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters, without accents and what joins them."""
    for found in _WORD.finditer(_plain(text)):
        yield from filter(None, _JOINT.split(found.group()))


def inner_terms_of(text: str) -> Iterator[str]:
    """Yield what the words of a text are made of, as terms that no text has of itself."""
    for part in words_of(text):
        yield from (f"*{end}" for end in _ends(part))
        for run in IDEOGRAPHS.findall(part) if not part.isascii() else ():
            yield from (f"*{sign}" for sign in run if len(run) > 1)


@dataclass(frozen=True, slots=True)
class Words:
    """The index of one knowledge, mapped from its files."""

    pieces: int
    _terms: npt.NDArray[np.uint64]
    _starts: npt.NDArray[np.uint64]
    _postings: npt.NDArray[np.uint32]
    _impacts: npt.NDArray[np.float16]

    @classmethod
    def open(cls, folder: Path, pieces: int) -> Words:
        """Map the index of that many pieces."""
        return cls(
            pieces,
            mapped(folder / TERMS, np.uint64),
            mapped(folder / STARTS, np.uint64),
            mapped(folder / POSTINGS, np.uint32),
            mapped(folder / IMPACTS, np.float16),
        )

    def shares(self, question: str) -> Scores:
        """Return (pieces,) how much of what the question says each piece says, from 0 to 1.

        A word counts as much as it is rare.
        """
        wanted = self._rarest(terms_of(question))
        scores = np.zeros(self.pieces, np.float32)
        full = 0.0
        for place, rarity in wanted:
            full += rarity * (K1 + 1)
            self._count(place, scores)
        if not full:
            return scores
        for place, _ in self._rarest(_beside(question)):
            self._count(place, scores)
        scores /= np.float32(full)
        return np.minimum(scores, np.float32(1), out=scores)

    def rarities(self, terms: npt.NDArray[np.uint64]) -> Scores:
        """Return how much each term (n,) tells."""
        told = [rarity for _, rarity in self._places_and_rarities(terms)]
        return np.array(told, np.float32)

    def holders(self, term: str) -> int:
        """Return how many pieces have a term."""
        [(_, holders)] = self._places_and_holders(_numbers([term]))
        return holders

    def _count(self, place: int, scores: Scores) -> None:
        """Add what pieces get for the term at a place; none has it at -1."""
        if place >= 0:
            hits = slice(int(self._starts[place]), int(self._starts[place + 1]))
            scores[self._postings[hits]] += self._impacts[hits].astype(np.float32)

    def _rarest(self, terms: Iterable[str]) -> list[tuple[int, float]]:
        """Return place (-1 where no piece has it) and rarity of those that tell most."""
        wanted = self._places_and_rarities(_numbers(terms))
        return sorted(wanted, key=lambda one: -one[1])[:MOST_TERMS]

    def _places_and_rarities(self, numbers: npt.NDArray[np.uint64]) -> list[tuple[int, float]]:
        found = self._places_and_holders(numbers)
        return [(place, rarity_of(holders, self.pieces)) for place, holders in found]

    def _places_and_holders(self, numbers: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
        places = np.searchsorted(self._terms, numbers)
        wanted = []
        for number, place in zip(numbers, places, strict=True):
            is_there = place < len(self._terms) and self._terms[place] == number
            holders = int(self._starts[place + 1] - self._starts[place]) if is_there else 0
            wanted.append((int(place) if is_there else -1, holders))
        return wanted


def rarity_of(holders: int, pieces: int) -> float:
    """Return how much a term tells that so many of the pieces hold."""
    return float(np.log1p((pieces - holders + 0.5) / (holders + 0.5)))


class IndexWriter:
    """Writes the index of pieces that come in their order; memory does not grow with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lengths = array("f")
        self._held: list[npt.NDArray[np.void]] = []
        self._held_count = 0
        for path in self._buckets():
            path.write_bytes(b"")

    def add(self, piece: int, fields: Iterable[tuple[str, float]]) -> None:
        """Take the texts of the next piece, each with its weight."""
        counts: defaultdict[int, float] = defaultdict(float)
        inner: defaultdict[int, float] = defaultdict(float)
        for text, weight in fields:
            for term in terms_of(text):
                counts[number_of(term)] += weight
            for term in inner_terms_of(text):
                inner[number_of(term)] += INSIDE * weight
        length = sum(counts.values())
        counts.update(inner)
        postings = np.empty(len(counts), _POSTING)
        postings["term"] = np.fromiter(counts, np.uint64, len(counts))
        postings["count"] = np.fromiter(counts.values(), np.float32, len(counts))
        postings["piece"] = piece
        self._lengths.append(length)
        self._held.append(postings)
        self._held_count += len(counts)
        if self._held_count > AT_ONCE:
            self._write_held()

    def finish(self) -> int:
        """Write the files and return how many terms there are."""
        self._write_held()
        lengths = np.array(self._lengths, np.float32)
        pieces = max(1, len(lengths))
        relative = 1 - B + B * lengths / max(1.0, float(lengths.sum(dtype=np.float64)) / pieces)
        count = total = 0
        with (
            (self._folder / TERMS).open("wb") as terms,
            (self._folder / STARTS).open("wb") as starts,
            (self._folder / POSTINGS).open("wb") as postings,
            (self._folder / IMPACTS).open("wb") as impacts,
        ):
            for path in self._buckets():
                rows = np.fromfile(path, _POSTING)
                path.unlink()
                rows = rows[np.argsort(rows["term"], kind="stable")]
                found, first, holders = np.unique(
                    rows["term"], return_index=True, return_counts=True
                )
                rarity = np.log1p((pieces - holders + 0.5) / (holders + 0.5))
                times = rows["count"]
                weight = times * (K1 + 1) / (times + K1 * relative[rows["piece"]])
                found.tofile(terms)
                (first + total).astype(np.uint64).tofile(starts)
                np.ascontiguousarray(rows["piece"]).tofile(postings)
                (weight * np.repeat(rarity, holders)).astype(np.float16).tofile(impacts)
                count, total = count + len(found), total + len(rows)
            np.array([total], np.uint64).tofile(starts)
        return count

    def _buckets(self) -> list[Path]:
        return [self._folder / f"bucket-{number:02d}" for number in range(BUCKETS)]

    def _write_held(self) -> None:
        if not self._held:
            return
        rows = np.concatenate(self._held)
        self._held, self._held_count = [], 0
        buckets = rows["term"] // np.uint64(2**64 // BUCKETS)
        rows = rows[np.argsort(buckets, kind="stable")]
        ends = np.searchsorted(np.sort(buckets), np.arange(BUCKETS + 1, dtype=np.uint64))
        for number, path in enumerate(self._buckets()):
            with path.open("ab") as file:
                rows[ends[number] : ends[number + 1]].tofile(file)


def _plain(text: str) -> str:
    """Return the text in small letters, without accents, wide forms as narrow ones."""
    text = text.casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f")
    return _HARAKAT.sub("", unicodedata.normalize("NFC", bare).translate(_ARABIC))


@lru_cache(maxsize=1 << 16)
def _terms_of_part(part: str) -> tuple[str, ...]:
    return tuple(_stems(part) if part.isascii() else _terms_of_runs(part))


def _terms_of_runs(part: str) -> Iterator[str]:
    for run in UNSPACED_RUN.findall(part):
        pairs = (run[at : at + 2] for at in range(len(run) - 1))
        yield from pairs if len(run) > 1 else (run,)
    if rest := UNSPACED_RUN.sub("", part):
        yield from _stems(_ARTICLE.sub("", rest))


def _stems(word: str) -> Iterator[str]:
    """Yield a word without the ending of a plural, and the beginning of a long one."""
    yield _singular(word) if word.isascii() else word
    if len(word) > BEGINNING and word.isalpha():
        yield f"{word[:BEGINNING]}*"


def _beside(question: str) -> Iterator[str]:
    """Yield what a question's words may be called inside of others, or by their last part."""
    for part in words_of(question):
        word = next(iter(_terms_of_part(part)), part)
        yield f"*{word}"
        yield from _ends(part)


@lru_cache(maxsize=1 << 16)
def _ends(part: str) -> tuple[str, ...]:
    """Return what a long word may end in: another word."""
    is_long = LEFT + RIGHT <= len(part) <= LONGEST_WORD
    if not is_long or not part.isalpha() or UNSPACED_RUN.search(part):
        return ()
    word = _singular(part) if part.isascii() else part
    return tuple(word[at:] for at in range(LEFT, len(word) - RIGHT + 1))


def _numbers(terms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the numbers (n,) of terms, each once."""
    once = dict.fromkeys(map(number_of, terms))
    return np.fromiter(once, np.uint64, len(once))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word[-2] in "su":
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("ses", "xes", "zes", "hes")) else word[:-1]


@lru_cache(maxsize=1 << 17)
def number_of(term: str) -> int:
    """Return the number that stands for a term."""
    digest = blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
