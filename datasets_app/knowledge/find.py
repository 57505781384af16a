"""Finds what is known about a question: near in meaning, the same words, or both.

A piece's score is its cosine, plus the share of the question's words that it says, times a weight
for the question's script, plus a little for the share of its heading that the question says.
Joining ranks instead (reciprocal rank fusion) lost five of 66 right answers on the bundled sample:
it forgets by how much the first is better than the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.split import SPLITS, Split
from datasets_app.knowledge import layout
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.headings import Headings
from datasets_app.knowledge.pieces import Piece, answer_key, leans
from datasets_app.knowledge.scripts import LATIN, script_of
from datasets_app.knowledge.wanted import Test, names_in, wanted
from datasets_app.knowledge.words import Words, terms_of

MOST = 3
LONGEST_QUOTE = 20_000  # signs, as of a message
AT_ONCE = 1_024  # vectors that are multiplied together: they stay in the processor's cache
CANDIDATES = 64
WEIGHT, WEIGHT_ELSEWHERE = 0.4, 2.0  # of words beside vectors: in Latin script, in others
LEANING = 3.0  # “And the boots?”: its own few words count more, the vector knows the talk
# A heading that is said: of 100 questions about 145 places 80 find their answer first and 95 among
# three; without headings 76 and 91. The words of a name count there, so the others count less.
NAMED, BESIDE_NAMES = 0.2, 0.5
CONTEXT_SHARE = 0.1  # what the words of the turn before count among its own
# Where pages are known, words count more, and what holds a thing of the kind asked for is nearer.
# Questions that were made of their sentences are farther: they look like any question.
WEIGHT_OF_PAGES, HOLDS_WANTED, MADE_OF_A_PAGE = 1.0, 0.08, 0.2
LACKS_NAMES = 0.15  # where none of the names in the question stands in the passage or above it

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """A piece that answers, and how near: cosine (None without vectors), share of the words."""

    piece: Piece
    cosine: float | None
    words: float
    rank: int
    score: float = 0.0  # by which it was ranked; nothing compares it with another question's
    place: int = 0  # among all pieces
    surplus: float = 0.0  # of the score, by words that weigh more than where cuts were measured

    @property
    def measured(self) -> float:
        """Return the score with the weight with which the cuts for pages were measured."""
        return self.score - self.surplus


@dataclass(frozen=True, slots=True)
class Without:
    """What may not be found: rows by their keys, pieces that give these answers, splits."""

    rows: Iterable[int] = ()
    answers: Iterable[str] = ()
    splits: Iterable[Split] = ()


NOTHING = Without()


@dataclass(frozen=True, slots=True)
class Quote:
    """Known answers in their own words, whole where they are no books."""

    text: str
    is_part: bool
    count: int = 1  # of the nearest that it quotes


@dataclass(frozen=True, slots=True)
class Scored:
    """Each piece's cosine, None without vectors, and its share of the words; -inf is left out."""

    cosines: Scores | None
    shares: Scores
    factor: float = 1.0  # by which the weight of words is multiplied
    named: Scores | None = None  # the share of its heading that is said; None without headings
    asks: Test | None = None  # whether a passage of a page has a thing of the kind asked for
    names: frozenset[str] = frozenset()  # terms of names that the question says

    @property
    def without_vectors(self) -> Scored:
        """Return what words alone say."""
        return replace(self, cosines=None, factor=1.0)

    def of_page(self, piece: Piece) -> float:
        """Return what a piece of a page gets or loses for what the question asks for and names."""
        more = -MADE_OF_A_PAGE if piece.question else 0.0
        if self.asks is not None and self.asks(piece.answer):
            more += HOLDS_WANTED
        if self.names:
            said = frozenset(terms_of(f"{piece.source}\n{piece.question}\n{piece.answer}"))
            more -= LACKS_NAMES * len(self.names - said) / len(self.names)
        return more

    def with_names(self, scores: Scores) -> Scores:
        """Return scores (pieces,) with what the headings add."""
        return scores if self.named is None else scores + np.float32(NAMED) * self.named


def usual_weight(script: str) -> float:
    """Return how much words count beside vectors where nothing was measured."""
    return WEIGHT if script == LATIN else WEIGHT_ELSEWHERE


class Knowledge:
    """A folder of knowledge that was written whole; several threads may ask it at once.

    All files are mapped from the beginning: what is open can be asked after the folder is gone.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.pieces = int(manifest["pieces"])
        self._lines = layout.mapped(folder / layout.PIECES, np.uint8)
        self._ends = layout.mapped(folder / layout.ENDS, np.uint64)
        self.answers = layout.mapped(folder / layout.ANSWERS, np.uint64)
        self.splits = layout.mapped(folder / layout.SPLIT_OF, np.uint8)
        self._holders = layout.mapped(folder / layout.HOLDERS, np.int64).reshape(-1, 2)
        self._words = Words.open(folder, self.pieces)
        self._headings = Headings.open(folder)
        self._vectors = layout.mapped(folder / layout.VECTORS, np.int8).reshape(-1, self.dims or 1)
        self._scales = layout.mapped(folder / layout.SCALES, np.float32)
        self._owners = layout.mapped(folder / layout.OWNERS, np.uint32)

    @classmethod
    def open(cls, folder: Path) -> Knowledge:
        """Map the folder; raises KnowledgeError where it is not whole."""
        manifest = layout.read_json(folder / layout.MANIFEST)
        if manifest is None or manifest["format"] != layout.FORMAT:
            raise KnowledgeError(f"There is no knowledge in {folder.name}. Build it again.")
        for name, told in manifest["files"].items():
            path = folder / name
            if not path.exists() or path.stat().st_size != told["size"]:
                raise KnowledgeError(
                    f"The knowledge in {folder.name} is damaged: {name}. Build it again."
                )
        return cls(folder, manifest)

    @property
    def dims(self) -> int:
        """Return how many numbers a vector has; 0 when only words are known."""
        return int((self.manifest["encoder"] or {}).get("dims", 0))

    @property
    def has_pages(self) -> bool:
        """Return whether pieces say on which page of a document they stand."""
        return bool(self.manifest.get("of_pages", 0))

    @property
    def encoder_sha256(self) -> str:
        """Return the hash of the encoder that made the vectors; empty without."""
        return str((self.manifest["encoder"] or {}).get("sha256", ""))

    def find(
        self,
        question: str,
        *,
        context: str = "",
        vector: Scores | None = None,
        most: int = MOST,
        without: Without = NOTHING,
    ) -> list[Found]:
        """Return at most so many pieces, nearest first, equal answers once.

        `vector` (dims,) is the encoder's of `asked(question, context)`; without it words alone
        count, and pieces that share none are not found.
        """
        if not question.strip() or not self.pieces:
            return []
        left_out = self._left_out(without)
        scored = self.scored(question, context, vector, left_out)
        weight = self.weight_for(question)
        ranked = self._ranked(scored, weight, most)
        more = max(0.0, weight - WEIGHT_OF_PAGES) * scored.factor
        return [
            Found(
                piece=self.piece(place),
                cosine=None if scored.cosines is None else float(scored.cosines[place]),
                words=float(scored.shares[place]),
                rank=rank,
                score=score,
                place=place,
                surplus=more * float(scored.shares[place]),
            )
            for rank, (place, score) in enumerate(ranked.items(), start=1)
        ]

    def piece(self, place: int) -> Piece:
        """Return the piece at a place."""
        start = int(self._ends[place - 1]) if place else 0
        return layout.piece_of(self._lines[start : int(self._ends[place])].tobytes())

    def vector(self, place: int, *, in_talk: bool) -> Scores:
        """Return a piece's vector (dims,), with the turn before it where it has such a one."""
        alone, talking = self._places_of_vectors
        at = (talking if in_talk else alone)[place]
        return np.asarray(self._vectors[at] * self._scales[at], np.float32)

    def own_cosine(self, found: Found, vector: Scores) -> float:
        """Return how near something found is to another vector (dims,), with its talk or without.

        Of what was found in a talk it tells what the question by itself has to do with it.
        """
        ways = (self.vector(found.place, in_talk=in_talk) for in_talk in (False, True))
        return max(float(way @ vector) for way in ways)

    def weight_for(self, question: str) -> float:
        """Return how much words count beside vectors for a question in its script."""
        script = script_of(question)
        return float(self.manifest.get("weights", {}).get(script, usual_weight(script)))

    def scored(
        self,
        question: str,
        context: str,
        vector: Scores | None,
        left_out: npt.NDArray[np.intp],
    ) -> Scored:
        """Return how near each piece is to a question with its vector (dims,).

        The places in `left_out` (n,) are as far as can be. Raises KnowledgeError when the vector
        is of another encoder.
        """
        is_leaning = leans(question, context)
        shares = self._words.shares(question)
        if is_leaning:
            shares += np.float32(CONTEXT_SHARE) * (self._words.shares(context) - shares)
        shares[left_out] = -np.inf
        named = self._headings.shares(f"{context} {question}") if self._headings else None
        asks = wanted(question) if self.has_pages else None
        names = names_in(question) if self.has_pages else frozenset()
        if vector is None or not self.dims:
            return Scored(None, shares, named=named, asks=asks, names=names)
        if vector.shape != (self.dims,):
            raise KnowledgeError(
                f"A vector of {vector.size} numbers does not fit knowledge with {self.dims}: "
                "another encoder made it. Build the knowledge again."
            )
        alone, talking = self._places_of_vectors
        by_vector = self._scan(vector)
        cosines = by_vector[alone]
        if is_leaning:
            cosines = np.maximum(cosines, by_vector[talking])
        cosines[left_out] = -np.inf
        factor = LEANING if is_leaning else 1.0 if named is None else BESIDE_NAMES
        return Scored(cosines, shares, factor, named, asks, names)

    def ranked(self, scored: Scored, weight: float, most: int) -> list[int]:
        """Return the places of the best pieces, equal answers once; the earlier wins a tie."""
        return list(self._ranked(scored, weight, most))

    def _ranked(self, scored: Scored, weight: float, most: int) -> dict[int, float]:
        """Return the places of the best pieces with their scores."""
        count = CANDIDATES
        while True:
            chosen = self._best(scored, weight, most, count)
            if len(chosen) == most or count >= self.pieces:
                return chosen
            count *= 8

    def _best(self, scored: Scored, weight: float, most: int, count: int) -> dict[int, float]:
        shares = scored.shares
        if scored.cosines is None:
            places = _top(shares, count)
            scores = scored.with_names(shares)[places]
            scores[shares[places] <= 0] = -np.inf
        else:
            near = scored.with_names(scored.cosines)
            lists = [_top(near, count), *([_top(shares, count)] if weight else [])]
            places = np.unique(np.concatenate(lists))
            said = np.maximum(shares[places], 0)
            scores = np.asarray(near[places] + weight * scored.factor * said, np.float32)
        scores += self._of_pages(scored, weight, places)
        chosen: dict[int, int] = {}
        for at in np.argsort(-scores, kind="stable"):
            if len(chosen) == most or scores[at] == -np.inf:
                break
            chosen.setdefault(int(self.answers[places[at]]), int(at))
        return {int(places[at]): float(scores[at]) for at in chosen.values()}

    def _of_pages(self, scored: Scored, weight: float, places: npt.NDArray[np.intp]) -> Scores:
        """Return what pieces (n,) of pages get or lose beside what words and vectors say."""
        more = np.zeros(len(places), np.float32)
        heavier = 0.0 if scored.cosines is None else max(0.0, WEIGHT_OF_PAGES - weight)
        for at, place in enumerate(places.tolist() if self.has_pages else ()):
            piece = self.piece(place)
            if piece.source:
                share = max(0.0, float(scored.shares[place]))
                more[at] = heavier * scored.factor * share + scored.of_page(piece)
        return more

    def quote(self, piece: Piece) -> Quote:
        """Return the answer that a piece is of; of a passage, or of what is too long, the piece."""
        places = self.places_of_rows([piece.row])
        if not piece.is_part:
            return Quote(piece.answer, not piece.question and len(places) > 1)
        whole = ""
        for place in places:
            one = self.piece(int(place))
            if one.is_part and (one.question, one.context) == (piece.question, piece.context):
                whole += one.answer + one.gap
            if len(whole) > LONGEST_QUOTE:
                return Quote(piece.answer, is_part=True)
        return Quote(whole, is_part=False)

    def holders(self, term: str) -> int:
        """Return how many pieces have a term."""
        return self._words.holders(term)

    def places_of_rows(self, rows: Iterable[int]) -> npt.NDArray[np.intp]:
        """Return the places (n,) of all pieces that these rows hold, copies too."""
        wanted = np.fromiter(rows, np.int64)
        first = np.searchsorted(self._holders[:, 0], wanted, side="left")
        last = np.searchsorted(self._holders[:, 0], wanted, side="right")
        slices = [self._holders[a:b, 1] for a, b in zip(first, last, strict=True)]
        return np.concatenate(slices).astype(np.intp) if slices else np.empty(0, np.intp)

    def _left_out(self, without: Without) -> npt.NDArray[np.intp]:
        found = [self.places_of_rows(without.rows)]
        if keys := [answer_key(answer) for answer in without.answers]:
            found.append(np.flatnonzero(np.isin(self.answers, np.array(keys, np.uint64))))
        numbers = map(SPLITS.index, without.splits)
        found.extend(np.flatnonzero(self.splits == number) for number in numbers)
        return np.concatenate(found)

    @cached_property
    def _places_of_vectors(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """Return where each piece's vector lies (pieces,): by itself, and in its talk."""
        owners = self._owners
        is_in_talk = (owners & np.uint32(layout.IN_TALK)) != 0
        places = np.arange(len(owners), dtype=np.uint32)
        alone = places[~is_in_talk]
        talking = alone.copy()
        talking[owners[is_in_talk] & np.uint32(layout.IN_TALK - 1)] = places[is_in_talk]
        return alone, talking

    def _scan(self, vector: Scores) -> Scores:
        """Return the cosine (vectors,) with each vector."""
        cosines = np.empty(len(self._vectors), np.float32)
        block = np.empty((AT_ONCE, self.dims), np.float32)
        asked_for = vector.astype(np.float32, copy=False)
        for start in range(0, len(cosines), AT_ONCE):
            end = min(start + AT_ONCE, len(cosines))
            rows = block[: end - start]
            np.copyto(rows, self._vectors[start:end])
            np.dot(rows, asked_for, out=cosines[start:end])
        return cosines * self._scales


def _top(scores: Scores, count: int) -> npt.NDArray[np.intp]:
    """Return the places (n,) of the highest scores, and of all that are equal to the last one."""
    if count >= len(scores):
        return np.arange(len(scores))
    last = np.partition(scores, len(scores) - count)[len(scores) - count]
    return np.flatnonzero(scores >= last) if last > -np.inf else np.flatnonzero(scores > last)
