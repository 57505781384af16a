"""Writes knowledge into a folder in steps, each of them durable.

A byte for each number of a vector instead of two costs 0.001 of a cosine and is read six times as
fast. A vector belongs to a text: where an older folder of the same encoder has the text, its vector
is copied, so an edited row costs one text.
"""

from __future__ import annotations

import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.split import SPLITS, exact_key
from datasets_app.knowledge import layout
from datasets_app.knowledge.encoder import Encoder, Vectors
from datasets_app.knowledge.find import Knowledge
from datasets_app.knowledge.headings import write_headings
from datasets_app.knowledge.measure import measured
from datasets_app.knowledge.pieces import Piece, Row, answer_key, pieces_of
from datasets_app.knowledge.seen import Seen
from datasets_app.knowledge.words import (
    ANSWER_WEIGHT,
    CONTEXT_WEIGHT,
    QUESTION_WEIGHT,
    SOURCE_WEIGHT,
    IndexWriter,
    Words,
)

PROGRESS = "progress.json"
# only while it is written: numbers of questions with their answers, rows with their pieces
PAIRS, ROWS = "pairs.u64", "rows.i64"
GROWING = (
    *(layout.PIECES, layout.ENDS, layout.ANSWERS, layout.SPLIT_OF, PAIRS, ROWS),
    *(layout.VECTORS, layout.SCALES, layout.OWNERS, layout.TEXTS),
)
ENCODED_AT_ONCE = 1_024
LARGEST = 127  # of a vector's whole numbers


def _nothing() -> None:
    """Stand where nobody wants to be called."""


class Writer:
    """Writes one folder. It may be killed at any moment; a new writer goes on where `add` ended.

    The same rows in the same steps give the same bytes. `earlier` is a folder with vectors that
    are known already; `still` is called now and then and may raise.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder: Encoder | None,
        earlier: Path | None = None,
        still: Callable[[], None] = _nothing,
    ) -> None:
        self.folder = folder
        self.embedded = 0  # texts that went through the encoder
        self._encoder = encoder
        self._still = still
        folder.mkdir(parents=True, exist_ok=True)
        self._progress = self._begun()
        self._pairs = Seen(np.fromfile(folder / PAIRS, np.uint64))
        self._vectors = _Vectors(folder, encoder, earlier)

    @property
    def position(self) -> int:
        """Return the position of the last row that is written; 0 at the beginning."""
        return int(self._progress["position"])

    @property
    def rows(self) -> int:
        """Return how many rows are written."""
        return int(self._progress["rows"])

    @property
    def pieces(self) -> int:
        """Return how many pieces are written."""
        return int(self._progress["pieces"])

    def add(self, rows: Sequence[Row]) -> None:
        """Write the next rows, one at least; they are there for good on return."""
        step = _Step(rows, self._pairs)
        blocks = step.blocks(start=self._progress["sizes"][layout.PIECES])
        if self._encoder is not None:
            owners, texts = step.texts()
            self.embedded += self._vectors.learn(texts, self._still)
            blocks |= self._vectors.blocks(owners)
        sizes = {name: _append(self.folder / name, block) for name, block in blocks.items()}
        self._progress |= {
            "position": rows[-1].position,
            "rows": int(self._progress["rows"]) + len(rows),
            "pieces": self.pieces + len(step.pieces),
            "copies": int(self._progress["copies"]) + step.copies,
            "sizes": self._progress["sizes"] | sizes,
        }
        layout.write_json(self.folder / PROGRESS, self._progress)
        self._pairs.add(step.pairs)

    def finish(self) -> dict[str, Any]:
        """Index the words, measure, write the manifest and return it."""
        holders = np.fromfile(self.folder / ROWS, np.int64).reshape(-1, 2)
        holders[np.argsort(holders[:, 0], kind="stable")].tofile(self.folder / layout.HOLDERS)
        terms, of_pages = self._index_words()
        rarities = Words.open(self.folder, self.pieces).rarities
        answers = np.fromfile(self.folder / layout.ANSWERS, np.uint64)
        questions = (piece.question for piece in self._pieces())
        write_headings(self.folder, zip(questions, answers.tolist(), strict=True), rarities)
        facts = {
            "format": layout.FORMAT,
            "edition": layout.EDITION,
            **{name: told for name, told in self._progress.items() if name != "sizes"},
            "terms": terms,
            "of_pages": of_pages,
        }
        facts |= measured(Knowledge(self.folder, facts), self._still)
        for left in self.folder.glob(f"*{layout.UNFINISHED}"):  # of a writer that was killed
            left.unlink()
        working = {PAIRS, ROWS, PROGRESS, layout.MANIFEST}
        paths = [path for path in sorted(self.folder.iterdir()) if path.name not in working]
        facts["files"] = {path.name: _size_and_hash(path) for path in paths}
        layout.write_json(self.folder / layout.MANIFEST, facts)
        for name in (PROGRESS, PAIRS, ROWS):
            (self.folder / name).unlink()
        return facts

    def _index_words(self) -> tuple[int, int]:
        """Index the words; return how many terms there are, and how many pieces name a page."""
        index, of_pages = IndexWriter(self.folder), 0
        for place, piece in enumerate(self._pieces()):
            index.add(
                place,
                (
                    (piece.question, QUESTION_WEIGHT),
                    (piece.answer, ANSWER_WEIGHT),
                    (piece.context, CONTEXT_WEIGHT),
                    (piece.source, SOURCE_WEIGHT),
                ),
            )
            of_pages += bool(piece.source)
        return index.finish(), of_pages

    def _pieces(self) -> Iterator[Piece]:
        with (self.folder / layout.PIECES).open("rb") as lines:
            for place, line in enumerate(lines):
                if place % ENCODED_AT_ONCE == 0:
                    self._still()
                yield layout.piece_of(line)

    def _begun(self) -> dict[str, Any]:
        """Return how far the folder is, after cutting off what is behind that."""
        named = _named(self._encoder)
        progress = layout.read_json(self.folder / PROGRESS)
        if (
            progress is None
            or progress["encoder"] != named
            or not _holds(self.folder, progress["sizes"])
        ):
            progress = {"position": 0, "rows": 0, "pieces": 0, "copies": 0, "encoder": named}
            progress["sizes"] = dict.fromkeys(GROWING, 0)
            layout.write_json(self.folder / PROGRESS, progress)  # before anything is cut
        for name, size in progress["sizes"].items():
            with (self.folder / name).open("ab") as file:
                file.truncate(size)
        return progress


def finished(folder: Path, encoder: Encoder | None) -> dict[str, Any] | None:
    """Return the manifest of a folder that was written to its end with this encoder."""
    is_under_way = (folder / PROGRESS).exists()
    told = None if is_under_way else layout.read_json(folder / layout.MANIFEST)
    return told if told is not None and told["encoder"] == _named(encoder) else None


def take_over(old: Path, fresh: Path) -> None:
    """Copy what was durable in a folder that somebody left; he may still be writing behind it."""
    progress = layout.read_json(old / PROGRESS)
    if progress is None or not _holds(old, progress["sizes"]):
        return
    fresh.mkdir(parents=True)
    for name, size in progress["sizes"].items():
        shutil.copyfile(old / name, fresh / name)
        with (fresh / name).open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
    layout.write_json(fresh / PROGRESS, progress)


def _named(encoder: Encoder | None) -> dict[str, Any] | None:
    """Return what a folder says of the encoder that made its vectors."""
    if encoder is None:
        return None
    return {"name": encoder.name, "dims": encoder.dims, "sha256": encoder.sha256}


def _holds(folder: Path, sizes: Mapping[str, int]) -> bool:
    """Return whether the files are as long as they were once: a broken disk may have lost some."""
    paths = {folder / name: size for name, size in sizes.items()}
    return all(path.exists() and path.stat().st_size >= size for path, size in paths.items())


class _Step:
    """Rows that are written together: their pieces, without those that are known."""

    def __init__(self, rows: Sequence[Row], known: Seen) -> None:
        self.pieces: list[Piece] = []
        self.pairs: list[int] = []
        self.copies = 0
        self._first = known.count
        self._holders = array("q")
        told = [piece for row in rows for piece in pieces_of(row)]
        pairs = list(map(_pair_key, told))
        places: dict[int, int] = {}
        for piece, pair, known_place in zip(told, pairs, known.places(pairs), strict=True):
            place = places.get(pair) if known_place is None else known_place
            if place is None:
                place = places[pair] = self._first + len(self.pieces)
                self.pieces.append(piece)
                self.pairs.append(pair)
            else:
                self.copies += 1
            self._holders.extend((piece.row, place))

    def blocks(self, *, start: int) -> dict[str, bytes]:
        """Return what is appended to each file; the lines begin at `start`."""
        lines = [layout.line_of(piece) for piece in self.pieces]
        ends = np.cumsum([len(line) for line in lines], dtype=np.uint64) + np.uint64(start)
        answers = [answer_key(piece.answer) for piece in self.pieces]
        splits = bytes(SPLITS.index(piece.split) for piece in self.pieces)
        return {
            layout.PIECES: b"".join(lines),
            layout.ENDS: ends.tobytes(),
            layout.ANSWERS: np.array(answers, np.uint64).tobytes(),
            layout.SPLIT_OF: splits,
            ROWS: self._holders.tobytes(),
            PAIRS: np.array(self.pairs, np.uint64).tobytes(),
        }

    def texts(self) -> tuple[list[int], list[str]]:
        """Return the texts that become vectors, and before them whose each is."""
        owners, texts = list[int](), list[str]()
        for place, piece in enumerate(self.pieces, start=self._first):
            for number, text in enumerate(piece.texts):
                owners.append(place | layout.IN_TALK if number else place)
                texts.append(text)
        return owners, texts


class _Vectors:
    """The vectors of a folder, and those that it may copy from an earlier one."""

    def __init__(self, folder: Path, encoder: Encoder | None, earlier: Path | None) -> None:
        self._folder = folder
        self._encoder = encoder
        self._sources = [folder]
        if earlier is not None and encoder is not None and _is_made_by(earlier, encoder):
            self._sources.append(earlier)
        self._seen = [Seen(np.fromfile(one / layout.TEXTS, np.uint64)) for one in self._sources]
        self._numbers: list[int] = []
        self._told: dict[int, tuple[bytes, float]] = {}

    def learn(self, texts: Sequence[str], still: Callable[[], None]) -> int:
        """Find or compute the vector of each text; return how many were computed."""
        self._numbers = list(map(_text_key, texts))
        unknown = dict(zip(self._numbers, texts, strict=True))
        self._told = {}
        for folder, seen in zip(self._sources, self._seen, strict=True):
            numbers = list(unknown)
            for number, place in zip(numbers, seen.places(numbers), strict=True):
                if place is not None:
                    self._told[number] = self._vector(folder, place)
                    del unknown[number]
        numbers = list(unknown)
        for start in range(0, len(numbers), ENCODED_AT_ONCE):
            still()
            some = numbers[start : start + ENCODED_AT_ONCE]
            self._compute(some, [unknown[number] for number in some])
        return len(unknown)

    def blocks(self, owners: Sequence[int]) -> dict[str, bytes]:
        """Return what is appended to the files of vectors for the texts that were learnt."""
        found = [self._told[number] for number in self._numbers]
        self._seen[0].add(self._numbers)
        return {
            layout.VECTORS: b"".join(whole for whole, _ in found),
            layout.SCALES: np.array([scale for _, scale in found], np.float32).tobytes(),
            layout.OWNERS: np.array(owners, np.uint32).tobytes(),
            layout.TEXTS: np.array(self._numbers, np.uint64).tobytes(),
        }

    def _vector(self, folder: Path, place: int) -> tuple[bytes, float]:
        dims = self._encoder.dims if self._encoder else 0
        whole = _read(folder / layout.VECTORS, place * dims, dims)
        (scale,) = np.frombuffer(_read(folder / layout.SCALES, place * 4, 4), np.float32)
        return whole, float(scale)

    def _compute(self, numbers: list[int], texts: list[str]) -> None:
        if self._encoder is None:
            return
        whole, scales = whole_numbers(self._encoder.encode(texts))
        for number, row, scale in zip(numbers, whole, scales, strict=True):
            self._told[number] = row.tobytes(), float(scale)


def whole_numbers(vectors: Vectors) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return vectors (n, dims) as whole numbers (n, dims), and what one is worth in each (n,)."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / LARGEST
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _is_made_by(folder: Path, encoder: Encoder) -> bool:
    manifest = layout.read_json(folder / layout.MANIFEST) or {}
    made_by = manifest.get("encoder") or {}
    is_ours = manifest.get("format") == layout.FORMAT
    return is_ours and made_by.get("sha256") == encoder.sha256


def _pair_key(piece: Piece) -> int:
    turns = (Turn(piece.split, piece.context), Turn(USER, piece.question))
    return int(exact_key(Conversation((*turns, Turn(ASSISTANT, piece.answer))))[:16], 16)


def _text_key(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _read(path: Path, start: int, size: int) -> bytes:
    with path.open("rb") as file:
        return os.pread(file.fileno(), size, start)


def _append(path: Path, block: bytes) -> int:
    """Append durably; return the file's size."""
    with path.open("ab") as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _size_and_hash(path: Path) -> dict[str, Any]:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        os.fsync(file.fileno())
    return {"size": path.stat().st_size, "sha256": digest.hexdigest()}
