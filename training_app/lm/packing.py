"""Conversations laid end to end in memory-mapped integer files, and the windows cut of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training_app.lm.config import TrainingError
from training_app.lm.template import Encoded

Array = NDArray[Any]
_FLUSH = 1 << 16  # tokens held in memory before they are written; chosen by hand


@dataclass(frozen=True, slots=True)
class PackFacts:
    """What was packed; `overlong` conversations train in pieces, nothing of them is lost."""

    tokens: int
    answer_tokens: int
    conversations: int
    overlong: int
    wide: bool  # 32-bit ids instead of 16-bit ones


@dataclass(frozen=True, slots=True)
class Packed:
    """One split of the data: a circle of tokens, what of them is answer, where each one starts.

    `tokens` and `answers` are (tokens,), `starts` is (conversations,).
    """

    facts: PackFacts
    tokens: Array
    answers: Array
    starts: Array


class Windows(NamedTuple):
    """A batch of windows; `answers` and `counted` belong to the targets."""

    ids: Array  # (B, T)
    targets: Array  # (B, T)
    answers: Array  # (B, T), 1 where the target is part of an answer
    counted: Array  # (B, T), 1 where the target belongs to the window


def pack(encoded: Iterable[Encoded], folder: Path, *, vocab_size: int, context: int) -> PackFacts:
    """Write the conversations to `folder`; memory stays flat, `facts.json` comes last.

    A token takes 2 bytes, or 4 with more than 65,536 entries, and one more for whether it is
    answer. Raises TrainingError where there is no conversation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "facts.json").unlink(missing_ok=True)
    wide = vocab_size > 1 << 16
    with ExitStack() as files:
        tokens, answers, starts = (
            files.enter_context((folder / name).open("wb")) for name in _FILES
        )
        counts = np.zeros(4, dtype=np.int64)
        for batch in _batches(encoded):
            counts += _write_batch(batch, (tokens, answers, starts), int(counts[0]), wide, context)
    total, answer_count, conversations, overlong = (int(count) for count in counts)
    if not total:
        raise TrainingError("There is no conversation in this split of the data.")
    facts = PackFacts(total, answer_count, conversations, overlong, wide)
    (folder / "facts.json").write_text(json.dumps(asdict(facts)), encoding="utf-8")
    return facts


_FILES = ("tokens.bin", "answers.bin", "starts.bin")


def _batches(encoded: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    batch: list[Encoded] = []
    size = 0
    for item in encoded:
        batch.append(item)
        size += len(item.ids)
        if size >= _FLUSH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write_batch(
    batch: list[Encoded],
    files: tuple[BinaryIO, BinaryIO, BinaryIO],
    first: int,
    wide: bool,  # noqa: FBT001
    context: int,
) -> Array:
    lengths = np.array([len(item.ids) for item in batch], dtype=np.int64)
    ids = np.concatenate([item.ids for item in batch]).astype(np.uint32 if wide else np.uint16)
    answers = np.concatenate([item.answers for item in batch]).astype(np.uint8)
    starts = first + np.cumsum(lengths) - lengths
    for file, values in zip(files, (ids, answers, starts), strict=True):
        file.write(values.tobytes())
    return np.array([len(ids), answers.sum(), len(batch), (lengths > context).sum()], np.int64)


def open_packed(folder: Path) -> Packed | None:
    """Return what `pack` wrote, memory-mapped; None where it is missing or incomplete."""
    try:
        facts = PackFacts(**json.loads((folder / "facts.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    kinds = (np.uint32 if facts.wide else np.uint16, np.uint8, np.int64)
    maps = [
        np.memmap(folder / name, dtype=kind, mode="r")
        for name, kind in zip(_FILES, kinds, strict=True)
    ]
    if [len(values) for values in maps] != [facts.tokens, facts.tokens, facts.conversations]:
        return None
    return Packed(facts, *maps)


def random_windows(
    packed: Packed, context: int, count: int, *, seed: int, position: int
) -> Windows:
    """Return the windows that (seed, position) stand for: the sampler has no other state.

    Every array is (count, context). Starts are uniform, by numpy's PCG64 (O'Neill 2014).
    """
    chance = np.random.default_rng((seed, position))
    starts = chance.integers(0, packed.facts.tokens, size=count)
    return gather(packed, starts, np.full(count, context), context)


def fixed_windows(packed: Packed, context: int) -> list[tuple[int, int]]:
    """Return (start, length) pairs that hold every token once and begin where a talk begins.

    Both are in tokens; only a conversation longer than the context is cut in pieces.
    """
    ends = [*(int(start) for start in packed.starts[1:]), packed.facts.tokens]
    windows: list[tuple[int, int]] = []
    start = 0
    for begin, end in zip(packed.starts.tolist(), ends, strict=True):
        if end - start > context and begin > start:
            windows.append((start, begin - start))
            start = begin
        while end - start > context:
            windows.append((start, context))
            start += context
    if start < packed.facts.tokens:
        windows.append((start, packed.facts.tokens - start))
    return windows


def gather_fixed(packed: Packed, windows: list[tuple[int, int]], context: int) -> Windows:
    """Return fixed windows as one batch, (windows, context) each.

    The token before each window is its first input; places beyond its length do not count.
    """
    starts = np.array([start - 1 for start, _ in windows], dtype=np.int64)
    return gather(packed, starts, np.array([length for _, length in windows]), context)


def gather(packed: Packed, starts: Array, lengths: Array, context: int) -> Windows:
    """Return the windows whose first inputs stand at `starts`; places beyond a length do not count.

    `starts` and `lengths` are (windows,), in tokens; every array of the result is (windows,
    context).
    """
    steps = np.arange(context + 1)
    places = (starts[:, None] + steps) % packed.facts.tokens  # (B, T + 1): the data are a circle
    tokens = packed.tokens[places].astype(np.int64)
    answers = packed.answers[places[:, 1:]]
    counted = (steps[:-1] < lengths[:, None]).astype(np.uint8)
    return Windows(tokens[:, :-1], tokens[:, 1:], answers, counted)
