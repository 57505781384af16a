"""The folder with the sketches of a dataset's rows: it only grows, in steps that are durable.

One process writes at a time; whoever reads sees the last whole step. Nothing is in it that the rows
could not give again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.repeats.said import Said
from datasets_app.corpus.repeats.sketch import (
    ASKED_BANDS,
    BANDS,
    LONG_WORDS,
    PERMUTATIONS,
    asked_bands,
    sketches,
)

EDITION = 1  # raised when another sketch is made of the same text
STATE = "state.json"
LINE = np.dtype(
    [
        *(("pk", "<i8"), ("revision", "<i4"), ("is_long", "?"), ("exact", "<u8"), ("facts", "<u8")),
        *(("asked", "<u8"), ("meant", "<u8"), ("answer", "<u8")),
    ]
)
BEGINNING = np.dtype([("pk", "<i8"), ("key", "<u8")])
MOST_BEGINNINGS = 200  # of a conversation

Lines = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Column:
    """A file with one value, or a row of values, for each line."""

    name: str
    kind: np.dtype[Any]
    width: int = 1

    @property
    def bytes_a_line(self) -> int:
        return int(self.kind.itemsize) * self.width

    def read(self, folder: Path, count: int) -> npt.NDArray[Any]:
        """Return its first lines, mapped: what nobody looks at is not loaded."""
        shape = (count,) if self.width == 1 else (count, self.width)
        if not count:
            return np.empty(shape, self.kind)
        return np.memmap(folder / self.name, self.kind, "r", shape=shape)

    def append(self, folder: Path, values: npt.NDArray[Any], *, behind: int) -> None:
        """Write behind so many lines; what a process left there that died is overwritten."""
        with (folder / self.name).open("r+b" if (folder / self.name).exists() else "w+b") as file:
            file.truncate(behind * self.bytes_a_line)
            file.seek(0, os.SEEK_END)
            file.write(np.ascontiguousarray(values, self.kind).tobytes())
            file.flush()
            os.fsync(file.fileno())


LINES = Column("lines.bin", LINE)
BAND_KEYS = Column("bands.bin", np.dtype("<u4"), BANDS)
MARKS = Column("marks.bin", np.dtype("u1"), PERMUTATIONS)
ASKED = Column("asked.bin", np.dtype("<u4"), ASKED_BANDS)
BEGINNINGS = Column("beginnings.bin", BEGINNING)
HALF = np.dtype("<f2")
VECTOR_KEYS = Column("vector_keys.bin", np.dtype("<u8"))


@dataclass(frozen=True, slots=True)
class Index:
    """What the folder held when it was opened."""

    folder: Path
    rows: int = 0
    beginnings: int = 0
    vectors: int = 0
    dims: int = 0
    encoder: str = ""

    @classmethod
    def open(cls, folder: Path) -> Index:
        """Read the last whole step; of another edition, or none, it is empty."""
        try:
            state = json.loads((folder / STATE).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return cls(folder)
        if state.pop("edition", None) != EDITION:
            return cls(folder)
        return cls(folder, **state)

    def lines(self) -> Lines:
        return LINES.read(self.folder, self.rows)

    def band_keys(self) -> npt.NDArray[np.uint32]:
        return BAND_KEYS.read(self.folder, self.rows)

    def marks(self) -> npt.NDArray[np.uint8]:
        return MARKS.read(self.folder, self.rows)

    def asked(self) -> npt.NDArray[np.uint32]:
        return ASKED.read(self.folder, self.rows)

    def beginning_keys(self) -> Lines:
        return BEGINNINGS.read(self.folder, self.beginnings)

    def vector_keys(self) -> npt.NDArray[np.uint64]:
        return VECTOR_KEYS.read(self.folder, self.vectors)

    def vector_rows(self) -> npt.NDArray[np.float16]:
        return Column("vectors.bin", HALF, max(1, self.dims)).read(self.folder, self.vectors)

    def with_rows(self, keys: Sequence[tuple[int, int]], told: Sequence[Said]) -> Index:
        """Append rows, each with its number and revision; return the index with them."""
        sketched = sketches([one.text for one in told], [one.words for one in told])
        lines = np.zeros(len(told), LINE)
        lines["pk"] = [pk for pk, _ in keys]
        lines["revision"] = [revision for _, revision in keys]
        lines["is_long"] = [one.words >= LONG_WORDS for one in told]
        for name in ("exact", "facts", "asked", "meant", "answer"):
            lines[name] = [getattr(one, name) for one in told]
        begun = [
            (pk, key)
            for (pk, _), one in zip(keys, told, strict=True)
            for key in one.beginnings[:MOST_BEGINNINGS]
        ]
        BAND_KEYS.append(self.folder, sketched.bands, behind=self.rows)
        MARKS.append(self.folder, sketched.marks, behind=self.rows)
        ASKED.append(self.folder, asked_bands([one.question for one in told]), behind=self.rows)
        BEGINNINGS.append(self.folder, np.array(begun, BEGINNING), behind=self.beginnings)
        LINES.append(self.folder, lines, behind=self.rows)
        return _saved(self, rows=self.rows + len(told), beginnings=self.beginnings + len(begun))

    def for_encoder(self, encoder: str, dims: int) -> Index:
        """Return it without the vectors of another encoder."""
        if (self.encoder, self.dims) == (encoder, dims):
            return self
        return replace(self, vectors=0, dims=dims, encoder=encoder)

    def with_vectors(
        self, encoder: str, keys: Sequence[int], vectors: npt.NDArray[np.float32]
    ) -> Index:
        """Append the vectors of questions; those of another encoder go."""
        dims = vectors.shape[1]
        kept = self.for_encoder(encoder, dims)
        Column("vectors.bin", HALF, dims).append(
            self.folder, vectors.astype(np.float16), behind=kept.vectors
        )
        VECTOR_KEYS.append(self.folder, np.array(keys, np.uint64), behind=kept.vectors)
        return _saved(kept, vectors=kept.vectors + len(keys))


def _saved(index: Index, **counts: int) -> Index:
    """Make the last step durable: it counts from here on."""
    names = ("rows", "beginnings", "vectors", "dims", "encoder")
    state = {name: getattr(index, name) for name in names} | counts
    written = index.folder / f"{STATE}.new"
    with written.open("w", encoding="utf-8") as file:
        json.dump({**state, "edition": EDITION}, file)
        file.flush()
        os.fsync(file.fileno())
    written.replace(index.folder / STATE)
    return Index(index.folder, **state)


def places_of(
    lines: Lines, numbers: npt.NDArray[Any], revisions: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return the place of each row in this revision, -1 where it is not there."""
    if not len(lines):
        return np.full(len(numbers), -1, np.int64)
    pks = np.ascontiguousarray(lines["pk"])
    order = np.argsort(pks, kind="stable")
    # the last line of a row is the newest: only that one counts
    last = np.searchsorted(pks, numbers, side="right", sorter=order) - 1
    found = order[np.maximum(last, 0)]
    is_there = (last >= 0) & (pks[found] == numbers) & (lines["revision"][found] == revisions)
    return np.where(is_there, found, -1)
