"""Word differences of two texts and of two conversations, for people to look at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import accumulate
from typing import Any, Literal

from datasets_app.corpus.conversation import Conversation, Turn

MOST_COMPARED = 1_000_000  # pairs of words: well below a second
# words, but each sign of scripts that write none between them; other signs; spaces go with them
WORDS = re.compile(
    r"(?:[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
    r"|[^\W\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]+|[^\w\s])\s*|\s+"
)

Kind = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Part:
    """Words that both texts have, or only the one before, or only the one after."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class TurnDifference:
    """A turn beside the one that it was; a role is "" where there is no such turn."""

    was_role: str
    role: str
    parts: tuple[Part, ...]

    @property
    def differs(self) -> bool:
        return self.was_role != self.role or any(part.kind != "same" for part in self.parts)


class _Bounded(SequenceMatcher[Any]):
    """Finds what is equal, and nothing more once it has looked at `most` pairs.

    Each search for the longest equal part looks at every pair of equal items of a stretch, so
    repeated words cost the cube of their number where the searches are many.
    """

    def __init__(self, old: Sequence[Any], new: Sequence[Any], most: int) -> None:
        super().__init__(None, old, new, autojunk=False)
        self.looked = 0
        self._most = most
        met = Counter(new)
        self._pairs = list(accumulate((met[item] for item in old), initial=0))

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        cost = self._pairs[-1 if ahi is None else ahi] - self._pairs[alo]
        if self.looked + cost > self._most:
            return Match(alo, blo, 0)
        self.looked += cost
        return super().find_longest_match(alo, ahi, blo, bhi)


def word_difference(before: str, after: str, *, most: int = MOST_COMPARED) -> tuple[Part, ...]:
    """Return the parts in order: all but the new are the text before, all but the gone the other.

    Where both are very long, everything between their equal ends is one difference: `most` is the
    bound of the words of one times the words of the other. No more pairs of equal words are looked
    at either: where texts say the same words again and again, what is left then is one difference.
    """
    old, new = WORDS.findall(before), WORDS.findall(after)
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    head, tail = old[:start], old[len(old) - end :]
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    found = [Part("same", "".join(head)), *_between(old, new, most), Part("same", "".join(tail))]
    return tuple(part for part in found if part.text)


def _equal(old: list[str], new: list[str]) -> int:
    """Return how many words at the beginning are the same."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((n for n, (was, now) in pairs if was != now), min(len(old), len(new)))


def _between(old: list[str], new: list[str], most: int) -> Iterator[Part]:
    if len(old) * len(new) > most:
        yield from (Part("gone", "".join(old)), Part("new", "".join(new)))
        return
    for tag, i, j, k, m in _Bounded(old, new, most).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(old[i:j]))
        else:
            yield from (Part("gone", "".join(old[i:j])), Part("new", "".join(new[k:m])))


def turn_differences(
    before: Conversation, after: Conversation, *, most: int = MOST_COMPARED
) -> list[TurnDifference]:
    """Return the turns of both in order, each changed one beside what it was."""
    found: list[TurnDifference] = []
    matcher = _Bounded(before.turns, after.turns, most)
    for _, i, j, k, m in matcher.get_opcodes():
        old, new = before.turns[i:j], after.turns[k:m]
        paired = zip(_filled(old, len(new)), _filled(new, len(old)), strict=True)
        found += [
            TurnDifference(was.role, now.role, word_difference(was.text, now.text, most=most))
            for was, now in paired
        ]
    return found


def _filled(turns: Sequence[Turn], length: int) -> list[Turn]:
    return [*turns, *[Turn("", "")] * (length - len(turns))]
