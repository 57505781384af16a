"""Which split a row is in: decided by a hash of its group, so that it never moves again."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, get_args

from datasets_app.corpus.conversation import Conversation, CorpusError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

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


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A row to assign: what shares `group` shares a split; `split` is the one it has."""

    key: int
    group: str
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class SplitAssignment:
    """The split of each row; `left_out` would join groups of two splits, `parted` had to be cut."""

    splits: dict[int, Split]
    left_out: tuple[int, ...] = ()
    parted: tuple[str, ...] = ()


def exact_key(conversation: Conversation) -> str:
    """Return a key equal for conversations that differ in case, spaces and punctuation only.

    Nor does it matter how a letter was put together, or what stands between the letters without
    being seen. Rows keep their key: who changes what is equal here needs a migration like 0005.
    """
    digest = blake2b(digest_size=16)
    for turn in conversation.turns:
        text = _bare(turn.text)
        digest.update(f"{turn.role}\x1f{text}\x1e".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _bare(text: str) -> str:
    """Return the words and telling signs of a text; all of it when there are none."""
    if not text.isascii():
        text = _DASHES.sub("-", _UNSEEN.sub("", text.translate(_WIDE)))
        text = unicodedata.normalize("NFC", text)
    spaced = " ".join(text.casefold().split())
    words = _SIGN.sub(_spaced, spaced).split()
    bare = " ".join(words) or spaced
    return bare if bare.isascii() else unicodedata.normalize("NFC", bare)


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
    groups: dict[str, list[SplitRow]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    total = sum(map(len, groups.values()))
    if total < 2:
        raise CorpusError(
            f"This dataset has {'one row' if total else 'no rows'}, and training needs at least "
            "two: one to learn from and one to check with. Add more conversations."
        )
    splits, left_out, fresh = _settle(groups)
    limits = (shares.test if total >= FEWEST_FOR_TEST else 0.0, shares.validation)
    for group in fresh:
        split = _drawn_split(group, seed, limits)
        splits.update((row.key, split) for row in groups[group])
    if set(splits.values()) >= NEEDED:
        return SplitAssignment(splits, tuple(left_out))
    keys = {group: [row.key for row in groups[group]] for group in fresh}
    parted = _fill_empty_splits(splits, keys, seed)
    return SplitAssignment(splits, tuple(left_out), parted)


def _settle(
    groups: Mapping[str, list[SplitRow]],
) -> tuple[dict[int, Split], list[int], list[str]]:
    """Return the splits that stand already, the rows between two splits, and the new groups."""
    splits: dict[int, Split] = {}
    left_out: list[int] = []
    fresh: list[str] = []
    for group, rows in groups.items():
        known = {row.split for row in rows if row.split is not None}
        if not known:
            fresh.append(group)
            continue
        splits |= {row.key: row.split for row in rows if row.split is not None}
        newcomers = [row.key for row in rows if row.split is None]
        if len(known) == 1:
            splits |= dict.fromkeys(newcomers, known.pop())
        else:
            left_out.extend(newcomers)
    return splits, left_out, fresh


def _draw(group: str, seed: int) -> float:
    digest = blake2b(f"{seed}\x1f{group}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") / 2**64


def _drawn_split(group: str, seed: int, limits: tuple[float, float]) -> Split:
    test, validation = limits
    drawn = _draw(group, seed)
    if drawn < test:
        return "test"
    return "validation" if drawn < test + validation else "train"


def _fill_empty_splits(
    splits: dict[int, Split], fresh: Mapping[str, list[int]], seed: int
) -> tuple[str, ...]:
    """Give validation and training a new group where they have none; return what was parted."""
    parted: list[str] = []
    for split in sorted(NEEDED, reverse=True):
        if split in splits.values():
            continue
        keys, cut = _group_to_move(splits, fresh, seed)
        splits |= dict.fromkeys(keys, split)
        parted.extend(cut)
    return tuple(parted)


def _group_to_move(
    splits: Mapping[int, Split], fresh: Mapping[str, list[int]], seed: int
) -> tuple[list[int], list[str]]:
    """Return the keys of the smallest new group whose split has others, else one row of a group."""
    counts: dict[Split, int] = defaultdict(int)
    for split in splits.values():
        counts[split] += 1
    ordered = sorted(fresh, key=lambda group: (len(fresh[group]), _draw(group, seed)))
    for group in ordered:
        if len(fresh[group]) < counts[splits[fresh[group][0]]]:
            return fresh[group], []
    for group in reversed(ordered):
        if len(fresh[group]) > 1:
            return [min(fresh[group])], [group]
    raise CorpusError(
        "Every row already has a split, and one of training and validation is empty. Add "
        "conversations, bring excluded ones back, or split anew with another seed."
    )
