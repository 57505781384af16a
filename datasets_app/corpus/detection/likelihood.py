"""How rare a decoded text would be, were it what somebody wrote: lower costs are likelier."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from datasets_app.corpus.detection import letters
from datasets_app.corpus.detection.letters import EDGE, script_of

OTHER_SCRIPT = 8.0
BESIDE_CHINESE = 3.0
"""What it costs when letters of two scripts touch; Chinese often stands beside Latin letters."""
NEW_SCRIPT = 6.0
"""What a second script costs that has fewer letters than the first."""
UNKNOWN_SCRIPT = 13.0
"""What a letter costs whose script no language here has."""
MIXED_CASE = 5.0
CAPITAL = 1.5
SHOUTED = 0.7

DIGIT, ASCII_SIGN, SPACE = 3.0, 4.0, 2.0
USUAL, SELDOM, RARE, NO_SIGN = 6.0, 9.0, 12.0, 16.0
MISPLACED = 5.0
BESIDE_DIGIT = 2.5
"""What a letter beyond ASCII costs that touches a digit, or any that touches a wide space."""
WELL_PLACED = -2.0
OPENING = frozenset("«„“‘¿¡\u2039「『\uff08《")
CLOSING = frozenset("»”…\u203a」』\uff09》、。，！？：；")
MONEY = frozenset("€£¥")
BEHIND = frozenset("ªº°²³")
INSIDE = frozenset("’\xad–—‘“”")
USUAL_SIGNS = OPENING | CLOSING | MONEY | BEHIND | INSIDE | frozenset("•§\xa0・ー\uff5e")
SELDOM_SIGNS = frozenset("·®©™½¼¾µ×±\xb4¨¶†‰№÷¬¦¤¢‡\u201a\u200b\u200c\u200d\u200e\u200f")
IN_FULL_WIDTH = range(0xFF01, 0xFF5F)
CATEGORIES_OF_NOTHING = frozenset({"Cc", "Cn", "Co", "Cs"})


@dataclass(slots=True)
class Reckoning:
    """What the neighbours in a text cost, and its letters in each language of their script."""

    cost: float = 0.0
    letters: Counter[str] = field(default_factory=Counter)
    """How many there are of each script."""
    rows: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)

    def add(self, pairs: Iterable[tuple[tuple[str, str], int]]) -> None:
        """Add neighbours that stand in the text so many times."""
        for (before, sign), count in pairs:
            self.cost += count * _cost_of_place(before, sign)
            first, second = script_of(before), script_of(sign)
            if second:
                small = before.lower()[:1] if first == second else EDGE
                self._add_letter(second, small, sign.lower()[:1], count)
                self.letters[second] += count
            if first and first != second:
                self._add_letter(first, before.lower()[:1], EDGE, count)

    def _add_letter(self, script: str, before: str, letter: str, count: int) -> None:
        if script in letters.languages():
            row = letters.costs(script, before, letter, count)
            self.rows.setdefault(script, []).append(row)
        elif letter != EDGE:
            self.cost += UNKNOWN_SCRIPT * count

    def copy(self) -> Reckoning:
        """Return the same, to go on with."""
        sums = {script: [_sums(rows)] for script, rows in self.rows.items()}
        return Reckoning(self.cost, self.letters.copy(), sums)

    def total(self) -> tuple[float, str]:
        """Return what it all costs at least, and the language that most of it is in then."""
        cost, most, name = self.cost, 0, ""
        for script, rows in self.rows.items():
            sums = _sums(rows)
            best = min(range(len(sums)), key=sums.__getitem__)
            cost += sums[best]
            if self.letters[script] > most:
                most, name = self.letters[script], letters.languages()[script][best].name
        latin = self.letters["LATIN"]
        guests = sum(count < latin for script, count in self.letters.items() if script != "LATIN")
        return cost + NEW_SCRIPT * guests, name


def _sums(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(map(sum, zip(*rows, strict=True)))


@lru_cache(1 << 16)
def _cost_of_place(before: str, sign: str) -> float:
    """Return what a sign costs where it stands, its letter apart."""
    first, second = script_of(before), script_of(sign)
    if not second:
        return _cost_of_sign(before, sign, is_behind_letter=bool(first))
    cost = _cost_of_case(before, sign) if second != "CJK" else 0.0
    if first and first != second:
        cost += BESIDE_CHINESE if "CJK" in {first, second} else OTHER_SCRIPT
    elif not first and second != "CJK":
        cost += _cost_behind_sign(before, sign)
    return cost


def _cost_behind_sign(before: str, letter: str) -> float:
    if before.isascii():
        return BESIDE_DIGIT if before.isdigit() and not letter.isascii() else 0.0
    if before == "\xa0":
        return BESIDE_DIGIT
    return 0.0 if before in OPENING | INSIDE else MISPLACED


def _cost_of_case(before: str, letter: str) -> float:
    if not letter.isupper():
        return 0.0
    if before.islower():
        return MIXED_CASE
    return SHOUTED if before.isupper() else CAPITAL


def _cost_of_sign(before: str, sign: str, *, is_behind_letter: bool) -> float:
    if sign.isascii():
        is_odd = sign.isdigit() and (before in BEHIND or (is_behind_letter and before > "\x7f"))
        return _cost_of_ascii(sign) + (BESIDE_DIGIT if is_odd else 0)
    cost = _cost_of_kind(sign)
    if cost == USUAL:
        is_wide = script_of(before) == "CJK"
        if is_behind_letter and sign in (OPENING | MONEY) - INSIDE and not is_wide:
            return cost + MISPLACED
        if is_behind_letter and sign == "\xa0":
            return cost + BESIDE_DIGIT
        if before.isdigit() and sign in MONEY | BEHIND:
            return cost + WELL_PLACED
    elif is_behind_letter and before.islower():
        return cost + 1
    return cost


def _cost_of_ascii(sign: str) -> float:
    if sign.isdigit():
        return DIGIT
    if sign in " \n":
        return SPACE
    return ASCII_SIGN if sign.isprintable() or sign in "\t\r" else NO_SIGN


def _cost_of_kind(sign: str) -> float:
    if sign in USUAL_SIGNS:
        return USUAL
    if sign in SELDOM_SIGNS or ord(sign) in IN_FULL_WIDTH:
        return SELDOM
    return NO_SIGN if unicodedata.category(sign) in CATEGORIES_OF_NOTHING else RARE
