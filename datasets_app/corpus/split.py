"""Which split a row is in: decided by a hash of its group, so that it never moves again."""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from datasets_app.corpus.conversation import Conversation, CorpusError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
TRAIN, VALIDATION, TEST = range(1, 4)  # how they are told in arrays; 0 is none
Draws = NDArray[np.uint64]
Codes = NDArray[np.uint8]

FEWEST_FOR_TEST = 200
BLOCK = 20
FEWEST_BLOCKS = 10
NEEDED: frozenset[Split] = frozenset({"train", "validation"})


def _signs(category: str) -> str:
    codes = range(sys.maxunicode // 17)
    return "".join(chr(n) for n in codes if unicodedata.category(chr(n)).startswith(category))


_DASHES = re.compile(f"[{re.escape(_signs('Pd'))}\u2212]")
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069\ufe0e\ufe0f]")
_WIDE = {0xFF01 + n: 0x21 + n for n in range(94)}  # the full-width forms of ASCII
# Signs that say something: -5 is not 5, C# not C, 50 % not 50, 1/2 not 1 2, @home not home.
_TELLING = re.compile(
    r"(?<=\w)[#@/\\]|[#@/\\](?=\w)"
    r"|(?<=\d)[^\w\s()\[\]{}\"“”„«»!?;](?=\d)"
    r"|(?<!\w)[-.](?=\d)|(?<=\d )-(?= \d)|(?<!\S)\.(?=\w)|(?<=\w)_(?=\w)"
)
_ALWAYS = frozenset("%‰&§")
_SIGN = re.compile(f"[{re.escape(_signs('P'))}]")
# Signs that never tell anything before a space, or at the end: most of what stands in prose.
_ENDING = re.compile(r"(?<![.,;:!?'\"()\[\]])[.,;:!?'\"()\[\]]++(?= |\Z)")


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts of a dataset kept aside; the rest is for training."""

    validation: float = 0.10
    test: float = 0.05

    def __post_init__(self) -> None:
        if not (0 < self.validation < 1 and 0 <= self.test < 1 and self.validation + self.test < 1):
            raise CorpusError(
                f"Validation {self.validation:.0%} and test {self.test:.0%} leave nothing to"
                " train on. "
                "Choose shares above zero that stay below 100 % together."
            )


class SplitRow(NamedTuple):
    """A row to assign: what shares `group` shares a split; `split` is the one it has."""

    key: int
    group: str
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class SplitAssignment:
    """The split of each row; `left_out` would join groups of two splits, `parted` were cut."""

    splits: dict[int, Split]
    left_out: tuple[int, ...] = ()
    parted: int = 0


def exact_key(conversation: Conversation) -> str:
    """Return a key equal for conversations that differ in case, spaces and punctuation only.

    Nor does it matter how a letter was put together, or what stands between the letters without
    being seen. Rows keep their key: who changes what is equal here needs a migration like 0005.
    """
    return exact_keys((turn.role, bare(turn.text)) for turn in conversation.turns)[-1]


def exact_keys(turns: Iterable[tuple[str, str]]) -> list[str]:
    """Return the key of nothing, and of each beginning: `turns` has roles and bare texts."""
    digest = blake2b(digest_size=16)
    keys = [digest.hexdigest()]
    for role, text in turns:
        digest.update(f"{role}\x1f{text}\x1e".encode("utf-8", "surrogatepass"))
        keys.append(digest.hexdigest())
    return keys


def bare(text: str) -> str:
    """Return the words and telling signs of a text; all of it when there are none."""
    if not text.isascii():
        text = _DASHES.sub("-", _UNSEEN.sub("", text.translate(_WIDE)))
        text = unicodedata.normalize("NFC", text)
    spaced = " ".join(text.casefold().split())
    words = _SIGN.sub(_spaced, _ENDING.sub(" ", spaced)).split()
    told = " ".join(words) or spaced
    return told if told.isascii() else unicodedata.normalize("NFC", told)


def _spaced(found: re.Match[str]) -> str:
    sign = found.group()
    if sign in _ALWAYS:
        return f" {sign} "
    return sign if _TELLING.match(found.string, found.start()) else " "


def block_groups(count: int, *, document: str, block: int = BLOCK) -> list[str]:
    """Return the group of each consecutive piece: blocks of 20, smaller ones below ten blocks."""
    size = max(1, min(block, count // FEWEST_BLOCKS))
    return [f"{document}/{index // size}" for index in range(count)]


def assign_splits(rows: Iterable[SplitRow], *, seed: int, shares: Shares) -> SplitAssignment:
    """Return the split of every row; with two rows or more, two splits are never empty.

    A row that has a split keeps it, and so does its group. Raises CorpusError where validation
    or training would stay empty all the same.
    """
    held = _Held(seed)
    for row in rows:
        held.add(row)
    total = len(held.keys)
    if total < 2:
        raise CorpusError(
            f"This dataset has {'one row' if total else 'no rows'}, and training needs at least "
            "two: one to learn from and one to check with. Add more conversations."
        )
    limits = (shares.test if total >= FEWEST_FOR_TEST else 0.0, shares.validation)
    splits, left_out = _assigned(held, limits)
    if set(splits.values()) >= NEEDED:
        return SplitAssignment(splits, tuple(left_out))
    parted = _fill_empty_splits(splits, held)
    return SplitAssignment(splits, tuple(left_out), parted)


class _Held:
    """A million rows in little memory: keys, the draw of each one's group, and known splits.

    Groups are told apart by their draws, of which there are 2^64.
    """

    def __init__(self, seed: int) -> None:
        self.keys = array("q")
        self.draws = array("Q")
        self.known = bytearray()
        self._seed = seed

    def add(self, row: SplitRow) -> None:
        self.keys.append(row.key)
        self.draws.append(_draw(row.group, self._seed))
        self.known.append(0 if row.split is None else 1 + SPLITS.index(row.split))

    def groups(self) -> Iterator[tuple[int, list[int]]]:
        """Yield each group's draw and the places of its rows, in the order in which they came."""
        ordered = sorted(range(len(self.keys)), key=self.draws.__getitem__)
        for draw, places in groupby(ordered, key=self.draws.__getitem__):
            yield draw, list(places)

    def fresh_groups(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the groups of which no row has a split, with their keys, smallest first."""
        fresh = [
            (len(places), draw, [self.keys[place] for place in places])
            for draw, places in self.groups()
            if not any(self.known[place] for place in places)
        ]
        for _, draw, keys in sorted(fresh):
            yield draw, keys


def _assigned(held: _Held, limits: tuple[float, float]) -> tuple[dict[int, Split], list[int]]:
    """Give the rows of each group their split; of two splits, those that have none are left out."""
    draws = np.frombuffer(held.draws, dtype=np.uint64)
    order = np.argsort(draws, kind="stable")
    draws, keys = draws[order], np.frombuffer(held.keys, dtype=np.int64)[order]
    own = np.frombuffer(held.known, dtype=np.uint8)[order]
    starts = np.flatnonzero(np.r_[True, draws[1:] != draws[:-1]])
    most = np.maximum.reduceat(own, starts)
    least = np.minimum.reduceat(np.where(own == 0, 255, own), starts)
    settled = np.where(least == most, most, 0)  # groups of two splits are none that is joint
    joint = np.where(most == 0, _drawn_splits(draws[starts], limits), settled)
    given = np.where(own == 0, np.repeat(joint, np.diff(np.r_[starts, len(keys)])), own)
    names = np.array((None, *SPLITS), dtype=object)[given]
    is_in = given > 0
    splits = dict(zip(keys[is_in].tolist(), names[is_in].tolist(), strict=True))
    return splits, keys[~is_in].tolist()


def _drawn_splits(draws: Draws, limits: tuple[float, float]) -> Codes:
    """Return the split that each draw falls into, as its place in `SPLITS` counted from 1."""
    test, validation = limits
    drawn = draws / 2.0**64
    codes = np.where(drawn < test + validation, VALIDATION, TRAIN)
    return np.where(drawn < test, TEST, codes).astype(np.uint8)


def _draw(group: str, seed: int) -> int:
    digest = blake2b(f"{seed}\x1f{group}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


def _fill_empty_splits(splits: dict[int, Split], held: _Held) -> int:
    """Give validation and training a new group where they have none; return how many were cut."""
    parted = 0
    fresh = [keys for _, keys in held.fresh_groups()]
    for split in sorted(NEEDED, reverse=True):
        if split in splits.values():
            continue
        keys, is_cut = _group_to_move(splits, fresh)
        splits |= dict.fromkeys(keys, split)
        parted += is_cut
    return parted


def _group_to_move(
    splits: Mapping[int, Split], fresh: Sequence[list[int]]
) -> tuple[list[int], bool]:
    """Return the keys of the smallest new group whose split has others, else one row of a group."""
    counts: dict[Split, int] = defaultdict(int)
    for split in splits.values():
        counts[split] += 1
    for keys in fresh:
        if len(keys) < counts[splits[keys[0]]]:
            return keys, False
    for keys in reversed(fresh):
        if len(keys) > 1:
            return [min(keys)], True
    raise CorpusError(
        "Every row already has a split, and one of training and validation is empty. Add "
        "conversations, bring excluded ones back, or split anew with another seed."
    )
