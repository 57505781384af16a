"""What lies in a folder of knowledge, under which names.

pieces.jsonl   a piece a line          ends.u64        where each line ends
answers.u64    equal for equal answers splits.u8        the split of each piece
holders.i64    rows and their pieces   knowledge.json  the manifest: sizes, hashes, encoder
vectors.i8, scales.f32                 vectors in whole numbers, and what one of them is worth
owners.u32, texts.u64                  whose vector it is; a number of the text behind it
terms.u64, starts.u64, postings.u32, impacts.f16   the index of words
about.u32, about.ends.u64, about.u64, about.f32   what pieces are about, where names tell them apart
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from datasets_app.knowledge.pieces import Piece

FORMAT = 1
# Raised where the same rows give better folders: older ones answer until they are built anew.
EDITION = 3
MANIFEST = "knowledge.json"
UNFINISHED = ".new"  # ends the name of a file that is being written
PIECES, ENDS, ANSWERS = "pieces.jsonl", "ends.u64", "answers.u64"
SPLIT_OF, HOLDERS = "splits.u8", "holders.i64"
VECTORS, SCALES, OWNERS, TEXTS = "vectors.i8", "scales.f32", "owners.u32", "texts.u64"
IN_TALK = 1 << 31  # set in the owner of a vector that holds the turn before too

Number = TypeVar("Number", bound=np.generic)


def mapped(path: Path, kind: type[Number]) -> npt.NDArray[Number]:
    """Return a file's numbers (n,); they are read when they are looked at."""
    if not path.stat().st_size:
        return np.empty(0, kind)
    return np.memmap(path, kind, mode="r").view(np.ndarray)


def line_of(piece: Piece) -> bytes:
    """Return a piece as its line."""
    told = {name: getattr(piece, name) for name in Piece.__slots__}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def piece_of(line: bytes) -> Piece:
    """Return the piece whose line this is."""
    return Piece(**json.loads(line))


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file says; None when it is not there."""
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return said


def write_json(path: Path, said: Mapping[str, Any]) -> None:
    """Write a file so that it is there whole, or as it was."""
    fresh = path.with_name(f"{path.name}{UNFINISHED}")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(said, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
