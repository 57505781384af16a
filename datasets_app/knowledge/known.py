"""What is known about a question in its talk, and when all of it is too far to answer from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.conversation import ASSISTANT, Turn
from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.find import MOST, NOTHING, WEIGHT, Found, Knowledge, Quote, Without
from datasets_app.knowledge.passages import (
    LOOKED_AT,
    is_of_page,
    joined,
    page_margin,
    page_quote,
)
from datasets_app.knowledge.pieces import answer_key, asked
from datasets_app.knowledge.scripts import LATIN, script_of

# From where on something is near: measured on the bundled sample's own questions, and 40 that have
# nothing to do with it. Of 73 questions 70 are near, of the 40 strange ones 4; at 0.50 it were 71
# and 6, at 0.60 67 and 1. A short question that follows an answer is near in its talk too, but so
# is a strange one, so more is asked there: of 30 that lean on that answer 28 are near, of 120
# strange ones after any answer 13; at 0.70 it were 29 and 21. Words alone tell little: 70 of the
# 73, and 26 of the 40.
NEAR, NEAR_IN_TALK, NEAR_BY_WORDS = 0.55, 0.80, 0.10
# What the turn before finds by itself is no answer to “Tell me a joke”: the question's own words
# must be near what is found, too. Of 24 short questions that lean on an answer all are (the
# farthest 0.26), of 12 strange ones that came near in their talk 1 is, at 0.32.
OWN_IN_TALK = 0.22

FOLDERS, ENCODERS = 4, 2  # that stay open
BY_WORDS = "Known answers were found by their words alone."

Vectors = Sequence[npt.NDArray[np.float32] | None]
Key = TypeVar("Key")
Opened = TypeVar("Opened")


class KnowledgeKey(NamedTuple):
    """Which knowledge: its folder, the hash of its manifest, the encoder that reads questions."""

    folder: Path
    sha256: str = ""
    encoder: Path | None = None


def no_holders(term: str) -> int:
    """Return 0: nothing is known of any term."""
    return 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a question, nearest first, and in a sentence what went wrong."""

    found: tuple[Found, ...] = ()
    is_near: bool = False  # enough to answer from it
    note: str = ""
    is_there: bool = True  # False: the knowledge itself could not be read
    holders: Callable[[str], int] = no_holders  # how many of all pieces have a term
    pieces: int = 0
    quote: Quote | None = None  # what the nearest says of itself, where it is near

    @property
    def is_unknown(self) -> bool:
        """Tell whether the only true answer is that nothing is known."""
        return self.is_there and not self.is_near

    @property
    def with_questions(self) -> list[Found]:
        """Return what was found to questions, not in passages."""
        return [one for one in self.found if one.piece.question]


NOTHING_KNOWN = Known()


def nearness(found: Iterable[Found]) -> float:
    """Return how near the nearest is: its cosine and its words, or its words alone.

    The weight is the one with which the cuts above were measured, whatever ranks: with that of
    other scripts a quarter of a question's words would pass for an answer.
    """
    return max((WEIGHT * one.words + (one.cosine or 0.0) for one in found), default=0.0)


def in_turn(lists: Sequence[Sequence[Found]], most: int) -> list[Found]:
    """Return the first of each list, then the second ones, equal answers once.

    Whether a short question leans on the talk only its reader can tell, so both meanings get a
    place: on the bundled sample that finds the answer of 25 such questions of 44, not of 17.
    """
    chosen: dict[int, Found] = {}
    for one in filter(None, chain.from_iterable(zip_longest(*lists))):
        chosen.setdefault(answer_key(one.piece.answer), one)
    return list(chosen.values())[:most]


def margin(found: Sequence[Found], cut: float, *, is_latin: bool = True) -> float:
    """Return by how much the nearest is nearer than it must be; below 0 nothing is near enough.

    Without vectors words alone must do. Encoders that know English find all of another script near
    to all, so there words must do too.
    """
    by_words = max((one.words for one in found), default=0.0) - NEAR_BY_WORDS
    if any(one.cosine is None for one in found):
        return by_words
    by_both = page_margin(found) if is_of_page(found) else nearness(found) - cut
    return by_both if is_latin or by_words >= 0 else min(by_both, by_words)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked last in a talk, and the answer before it, on which a short question leans."""

    question: str
    context: str

    @classmethod
    def last(cls, turns: Sequence[Turn]) -> Asked:
        """Return what the last turn asks."""
        before = (turn.text for turn in reversed(turns[:-1]) if turn.role == ASSISTANT)
        return cls(turns[-1].text, next(before, ""))

    @property
    def texts(self) -> list[str]:
        """Return the question by itself and, where it may lean on the talk, in its talk."""
        alone, in_talk = self.question, asked(self.question, self.context)
        return [alone] if in_talk == alone else [alone, in_talk]

    def known_in(
        self,
        knowledge: Knowledge,
        vectors: Vectors,
        *,
        most: int = MOST,
        without: Without = NOTHING,
    ) -> Known:
        """Return what is known, by the vectors of `texts`, or by words where they are None."""
        wide = max(most, LOOKED_AT) if knowledge.has_pages else most
        lists = [
            knowledge.find(
                self.question, context=context, vector=vector, most=wide, without=without
            )
            for context, vector in zip(("", self.context), vectors, strict=False)
        ]
        if knowledge.has_pages:
            lists = [joined(found) for found in lists]
        is_latin = script_of(self.question) == LATIN
        cuts = (NEAR, NEAR_IN_TALK)
        margins = [
            margin(found, cut, is_latin=is_latin) for found, cut in zip(lists, cuts, strict=False)
        ]
        if len(lists) > 1 and vectors[0] is not None and lists[1]:
            own = knowledge.own_cosine(lists[1][0], vectors[0])
            margins[1] = min(margins[1], own - OWN_IN_TALK)
        order = sorted(range(len(lists)), key=lambda place: -margins[place])  # stable
        found = tuple(in_turn([lists[place] for place in order], most))
        is_near = max(margins) >= 0
        quote = _quote(knowledge, lists[order[0]]) if is_near else None
        if quote is not None and quote.count > 1:
            found = tuple(lists[order[0]][:most])
        size = knowledge.pieces
        return Known(found, is_near, holders=knowledge.holders, pieces=size, quote=quote)


def _quote(knowledge: Knowledge, found: Sequence[Found]) -> Quote:
    """Return what the nearest say of themselves; a long answer is made whole again."""
    return page_quote(found) if is_of_page(found) else knowledge.quote(found[0].piece)


class KnownAnswers:
    """Finds known answers; any thread may ask. What was asked last stays open."""

    def __init__(self, *, folders: int = FOLDERS, encoders: int = ENCODERS) -> None:
        self._folders: _Open[KnowledgeKey, Knowledge] = _Open(_knowledge_of, folders)
        self._encoders: _Open[Path, Encoder] = _Open(Encoder.open, encoders)

    def hold(self, key: KnowledgeKey) -> None:
        """Open what is known now, so that it can be asked when its folder is gone.

        Where it cannot be read, asking says so.
        """
        with suppress(KnowledgeError, OSError, ValueError, KeyError):
            self._folders.get(key)

    def find(
        self,
        key: KnowledgeKey,
        turns: Sequence[Turn],
        *,
        most: int = MOST,
        without: Without = NOTHING,
    ) -> Known:
        """Return what is known about the last turn; what cannot be read is told in the note."""
        last = Asked.last(turns)
        try:
            knowledge = self._folders.get(key)
            vectors, note = self._vectors(knowledge, key.encoder, last.texts)
            known = last.known_in(knowledge, vectors, most=most, without=without)
        except (KnowledgeError, OSError, ValueError, KeyError) as error:
            return Known(note=f"Nothing known could be read. {_sentence(error)}", is_there=False)
        return replace(known, note=note)

    def _vectors(
        self, knowledge: Knowledge, folder: Path | None, texts: Sequence[str]
    ) -> tuple[Vectors, str]:
        """Return the vectors of texts; none, and why, where words have to do."""
        by_words = [None] * len(texts)
        if not knowledge.dims:
            return by_words, ""
        if folder is None:
            return by_words, f"{BY_WORDS} Their encoder is gone."
        try:
            encoder = self._encoders.get(folder)
            vectors = encoder.encode(texts)
        except (KnowledgeError, OSError, ValueError) as error:
            return by_words, f"{BY_WORDS} {_sentence(error)}"
        if encoder.sha256 != knowledge.encoder_sha256:
            return by_words, f"{BY_WORDS} The encoder is not the one that made their vectors."
        return list(vectors), ""


def _knowledge_of(key: KnowledgeKey) -> Knowledge:
    return Knowledge.open(key.folder)


class _Open(Generic[Key, Opened]):
    """Things that are opened once, at most so many: the longest unused is let go."""

    def __init__(self, load: Callable[[Key], Opened], most: int) -> None:
        self._load, self._most = load, most
        self._held: OrderedDict[Key, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Opened:
        """Return what is open, or open it; who asks meanwhile waits for it."""
        with self._lock:
            if key not in self._held:
                self._held[key] = self._load(key)
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]


def _sentence(error: Exception) -> str:
    return (
        str(error)
        if isinstance(error, KnowledgeError)
        else "The files are damaged. Build it again."
    )
