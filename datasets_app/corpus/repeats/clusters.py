"""Clusters of rows: what is joined by pairs, without chains that lead away from the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from datasets_app.corpus.repeats.facts import Difference, differences
from datasets_app.corpus.repeats.sketch import LONG_WORDS, similarity
from datasets_app.corpus.split import bare

Kind = Literal["conflict", "near", "exact", "meaning", "snapshot"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIMILAR, SIMILAR_LONG = 0.60, 0.75
SLACK = 0.1  # by which a member may be less like the best than two of a pair
MOST_MEMBERS = 50  # shown of a cluster


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows that belong together: numbers and how much each is like the first."""

    kind: Kind
    members: tuple[tuple[int, float], ...]
    weight: float = 0.0  # how much it matters: what contradicts most stands first


class Joined:
    """Sets of numbers that grow together."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def find(self, one: int) -> int:
        parent = self._parent.setdefault(one, one)
        while parent != one:
            self._parent[one] = parent = self._parent[parent]
            one, parent = parent, self._parent[parent]
        return one

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low

    def sets(self) -> list[list[int]]:
        """Return the sets with more than one number, each in order."""
        found: dict[int, list[int]] = defaultdict(list)
        for one in sorted(self._parent):
            found[self.find(one)].append(one)
        return [members for members in found.values() if len(members) > 1]


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is stored, and bare."""

    stored: str
    bare: str

    @classmethod
    def of(cls, *stored: str) -> Text:
        """Return turns as one text."""
        return cls("\n".join(stored), "\n".join(map(bare, stored)))

    @property
    def is_long(self) -> bool:
        return self.bare.count(" ") + self.bare.count("\n") + 1 >= LONG_WORDS


def likeness(one: Text, other: Text) -> float:
    """Return how similar two texts are; 0 where one states something else."""
    if one.bare == other.bare:
        return 1.0
    is_long = one.is_long and other.is_long
    found = similarity(one.bare, other.bare, is_long=is_long)
    least = SIMILAR_LONG if is_long else SIMILAR
    if found < least - SLACK or stated_otherwise(one, other):
        return 0.0
    return found


def are_similar(one: Text, other: Text) -> bool:
    is_long = one.is_long and other.is_long
    return likeness(one, other) >= (SIMILAR_LONG if is_long else SIMILAR)


def stated_otherwise(one: Text, other: Text) -> list[Difference]:
    return differences(one.stored, other.stored, bare=(one.bare, other.bare))


def answer_groups(answers: Sequence[tuple[int, Text]]) -> list[list[tuple[int, Text]]]:
    """Return the answers with those together that say the same."""
    groups: list[list[tuple[int, Text]]] = []
    for number, text in answers:
        alike = (group for group in groups if are_similar(group[0][1], text))
        group = next(alike, None)
        if group is None:
            groups.append([(number, text)])
        else:
            group.append((number, text))
    return groups


def contradiction(answers: Iterable[Text]) -> float:
    """Return how much answers to one question contradict: facts count, other words a little."""
    texts = list(answers)[:MOST_MEMBERS]
    first = texts[0]
    found = 0.0
    for other in texts[1:]:
        facts = sum(difference.weight for difference in stated_otherwise(first, other))
        is_long = first.is_long and other.is_long
        found = max(found, facts + 1 - similarity(first.bare, other.bare, is_long=is_long))
    return found
