"""Personal data replaced by placeholders, the same value by the same one through all turns.

Values reserved for examples (example.com, 555-01xx) are no findings, but they are masked like
all others: a chat is masked before it is stored, and nobody can tell there who meant an example.
A number in doubt is masked; dates, addresses of machines, lists of years, decimals, amounts of
money and numbers that follow “#” or a code like “JP-” are not taken for phone numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from datasets_app.corpus.conversation import Conversation

Kind = Literal["email", "phone", "card"]

FEWEST_PHONE_DIGITS, MOST_PHONE_DIGITS = 7, 15
FEWEST_CARD_DIGITS, MOST_CARD_DIGITS = 13, 19

# Phones and word processors put these between digits and letters by themselves: what is not
# seen (soft hyphens, zero-width signs, marks of direction), narrow spaces, other dashes and dots.
_UNSEEN = "\u00ad\u200b-\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069"
_DASH = "\\-\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d"
_DOT = ".\u00b7\u2022\u2219\u22c5\u3002\uff0e\uff61"
_SLASH = "/\u2044\u2215\uff0f"
_BLANK = " \t\u00a0\u2000-\u200a\u202f\u205f\u3000"
_BETWEEN = rf"[{_BLANK}()\uff08\uff09{_UNSEEN}{_DASH}{_DOT}{_SLASH}]{{0,5}}"
_AT = "@\ufe6b\uff20"
_PART = rf"[\w{_UNSEEN}-]{{1,63}}"
_DATE = rf"[{_DASH}{_DOT}{_SLASH}]"
# Every repetition is bounded, so the search is linear in the text.
_CANDIDATE = re.compile(
    rf"(?P<email>(?<![\w.+%-])[\w+%-][\w.+%&'’{_UNSEEN}-]{{0,63}}[{_AT}]"
    rf"{_PART}(?:[{_DOT}]{_PART}){{1,5}})"
    r"|(?P<other>(?<![\d.])(?:"
    rf"\d{{4}}{_DATE}\d{{1,2}}{_DATE}\d{{1,2}}(?!\d)"
    rf"|\d{{1,2}}{_DATE}\d{{1,2}}{_DATE}(?:19|20)\d\d(?!\d)"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
    r"))"
    rf"|(?P<number>(?<![\w#])(?<!\w[{_DASH}])(?<!# )[+\uff0b]?"
    rf"{_BETWEEN}\d(?:{_BETWEEN}\d){{6,18}}(?!\d))"
)
_SEVEN_DIGITS = re.compile(rf"\d(?:{_BETWEEN}\d){{6}}")  # most texts end here
_HAS_AT = re.compile(f"[{_AT}]")
_UNSEEN_SIGNS = re.compile(f"[{_UNSEEN}]")
_GROUPS = re.compile(r"\d+")
_YEAR = re.compile(r"(?:19|20)\d\d\Z")
_DECIMAL = re.compile(r"\d{1,3}\.\d{5,}\Z")
_MONEY = re.compile(r"[$€£¥₹]\s?\Z")
_MONEY_AFTER = re.compile(r"[.,]?\d{0,18}\s?(?:[$€£¥₹%]|EUR\b|USD\b|GBP\b|CHF\b)")
_PLACEHOLDER = re.compile(r"<(EMAIL|PHONE|CARD)_(\d{1,6})>")
_EXAMPLE_DOMAIN = re.compile(r"(?:[@.])example(?:\.(?:com|net|org))?\Z|\.(?:test|invalid)\Z")
_EXAMPLE_PHONE = re.compile(r"55501\d\d\Z")


@dataclass(frozen=True, slots=True)
class PersonalDatum:
    """One value in a text: its kind, its place, its normal form, and whether it is an example."""

    kind: Kind
    start: int
    end: int
    value: str
    is_reserved: bool


@dataclass(frozen=True, slots=True)
class Masked:
    """A conversation without the personal data found, and how many values of each kind it held."""

    conversation: Conversation
    counts: dict[str, int]


def personal_data(text: str) -> Iterator[PersonalDatum]:
    """Yield each e-mail address, phone and card number in the text, from left to right."""
    if _HAS_AT.search(text) is None and _SEVEN_DIGITS.search(text) is None:
        return
    for match in _CANDIDATE.finditer(text):
        found = match.group()
        if match.lastgroup == "email":
            value = unicodedata.normalize("NFKC", _UNSEEN_SIGNS.sub("", found)).casefold()
            reserved = _EXAMPLE_DOMAIN.search(value) is not None
            yield PersonalDatum("email", match.start(), match.end(), value, reserved)
        elif match.lastgroup == "number":
            found = found[_leading(found) :]
            digits = unicodedata.normalize("NFKC", "".join(_GROUPS.findall(found)))
            start = match.end() - len(found)
            kind = _number_kind(found, digits, text, (start, match.end()))
            if kind is not None:
                value = digits.removeprefix("00")
                reserved = kind == "phone" and _EXAMPLE_PHONE.search(value) is not None
                yield PersonalDatum(kind, start, match.end(), value, reserved)


def _leading(found: str) -> int:
    """Return how many separators stand before the number: all but its plus and its bracket."""
    first = next(at for at, sign in enumerate(found) if sign.isdigit() or sign in "+\uff0b")
    return first - (first > 0 and found[first - 1] in "(\uff08")


def mask(conversation: Conversation) -> Masked:
    """Return the conversation with e-mail addresses, phone and card numbers as placeholders."""
    names = _Names(conversation)
    turns = tuple(replace(turn, text=names.masked(turn.text)) for turn in conversation.turns)
    return Masked(Conversation(turns), names.counts)


class _Names:
    """The placeholders of one conversation, numbered by first appearance."""

    def __init__(self, conversation: Conversation) -> None:
        self.counts: dict[str, int] = {}
        self._by_value: dict[tuple[Kind, str], str] = {}
        self._highest: dict[str, int] = {}
        for turn in conversation.turns:
            for kind, number in _PLACEHOLDER.findall(turn.text):
                self._highest[kind] = max(int(number), self._highest.get(kind, 0))

    def masked(self, text: str) -> str:
        pieces: list[str] = []
        end = 0
        for datum in personal_data(text):
            pieces += (text[end : datum.start], self._placeholder(datum))
            end = datum.end
        return "".join(pieces) + text[end:]

    def _placeholder(self, datum: PersonalDatum) -> str:
        known = self._by_value.get((datum.kind, datum.value))
        if known is not None:
            return known
        word = datum.kind.upper()
        number = self._highest[word] = self._highest.get(word, 0) + 1
        self.counts[datum.kind] = self.counts.get(datum.kind, 0) + 1
        return self._by_value.setdefault((datum.kind, datum.value), f"<{word}_{number}>")


def _number_kind(found: str, digits: str, text: str, place: tuple[int, int]) -> Kind | None:
    groups = _GROUPS.findall(found)
    if _grouped_like_a_card(groups) and _passes_luhn(digits):
        return "card"
    if not FEWEST_PHONE_DIGITS <= len(digits) <= MOST_PHONE_DIGITS:
        return None
    if found.startswith(("+", "\uff0b")):
        return "phone"
    start, end = place
    is_money = _MONEY.search(text[max(0, start - 2) : start]) or _MONEY_AFTER.match(text, end)
    if is_money or _DECIMAL.match(found) or not _grouped_like_a_phone(groups):
        return None
    return "phone"


def _grouped_like_a_card(groups: list[str]) -> bool:
    """Tell a card number from an order number: unbroken, in fours, or 4-6-5 and 4-6-4."""
    lengths = [len(group) for group in groups]
    if not FEWEST_CARD_DIGITS <= sum(lengths) <= MOST_CARD_DIGITS:
        return False
    in_fours = all(length == 4 for length in lengths[:-1]) and lengths[-1] <= 4
    return len(lengths) == 1 or in_fours or lengths in ([4, 6, 5], [4, 6, 4])


def _grouped_like_a_phone(groups: list[str]) -> bool:
    """Tell a phone number from a list of sizes or of years."""
    if all(_YEAR.match(group) for group in groups):
        return False
    return groups[0].startswith("0") or any(len(group) >= 3 for group in groups)


def _passes_luhn(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    kept = sum(int(digit) for digit in digits[-1::-2])
    return (kept + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0
