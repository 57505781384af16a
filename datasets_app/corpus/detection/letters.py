"""How rarely letters follow each other in some forty languages: what tells decodings apart.

`letters.txt` holds a language in a line: its name, its letters, and how rarely each of them follows
each (of Chinese, Japanese and Korean: how rare each is). The figures come from the n-grams of
lingua-language-detector 1.3.5 (Apache-2.0) and from Django's translations (BSD-3-Clause).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

EDGE = ""
"""What stands before the first letter of a word and behind the last."""
STEPS = 6
ZERO = ord("(")
UNKNOWN = 14.0
OTHER_LANGUAGE = 4.0
"""What a pair of letters costs more when only another language of the script has it."""
SCRIPTS = {"COMBINING": "LATIN"} | dict.fromkeys(("HIRAGANA", "KATAKANA", "HANGUL"), "CJK")
SIGNS_AMONG_LETTERS = frozenset("、。，？！「」：；’“”–—")


@dataclass(frozen=True, slots=True)
class Language:
    """The letters of a language, and the cost of each behind each; or the cost of each alone.

    A cost is a natural logarithm: a pair that costs 5 more is 148 times as rare.
    """

    name: str
    index: dict[str, int]
    codes: str

    def cost(self, before: str, letter: str) -> float:
        """Return what a letter costs behind another one or behind the edge of a word."""
        count = len(self.index)
        row = 0 if before == EDGE else self.index.get(before, -1) + 1
        column = count if letter == EDGE else self.index.get(letter, -1)
        if len(self.codes) == count:
            return self._at(column) if 0 <= column < count else 0 if letter == EDGE else UNKNOWN
        if column < 0 or (row == 0 and before != EDGE):
            return UNKNOWN
        return self._at(row * (count + 1) + column)

    def _at(self, place: int) -> float:
        return (ord(self.codes[place]) - ZERO) / STEPS


@cache
def languages() -> dict[str, tuple[Language, ...]]:
    """Return the languages of each script."""
    found: dict[str, list[Language]] = {}
    stored = Path(__file__).with_name("letters.txt").read_text(encoding="utf-8")
    for line in stored.splitlines():
        name, letters, codes = line.split("\t")
        index = {letter: place for place, letter in enumerate(letters)}
        found.setdefault(script_of(letters[0]), []).append(Language(name, index, codes))
    return {script: tuple(those) for script, those in found.items()}


@lru_cache(1 << 14)
def script_of(letter: str) -> str:
    """Return the script of a letter; "" for any other character."""
    category = unicodedata.category(letter)
    if category[0] not in "LM" or letter in "ªº":
        return ""
    word = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return SCRIPTS.get(word, word)


@lru_cache(1 << 16)
def costs(script: str, before: str, letter: str, count: int) -> tuple[float, ...]:
    """Return what a pair of small letters costs in each language of a script, so many times."""
    alone = [language.cost(before, letter) for language in languages()[script]]
    most = min(alone) + OTHER_LANGUAGE
    return tuple(count * min(cost, most) for cost in alone)


@lru_cache(1 << 14)
def is_common(sign: str) -> bool:
    """Say whether a sign is a letter of one of the languages, or one that stands among them."""
    if sign in SIGNS_AMONG_LETTERS:
        return True
    small = sign.lower()[:1]
    return any(small in language.index for language in languages().get(script_of(sign), ()))
