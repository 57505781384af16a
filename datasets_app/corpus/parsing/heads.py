"""Who speaks, where it stands otherwise than before a colon: in brackets, or above the words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby

from datasets_app.corpus.roles import ROLE_OF, canonical

LONGEST_NAME, MOST_WORDS = 40, 5


def _marks() -> str:
    """Return ranges of signs that belong to the letter before them, as vowels of Hindi do."""
    signs = map(chr, range(0x300, 0x3100))
    marks = (sign for sign in signs if unicodedata.category(sign)[0] == "M")
    runs = groupby(enumerate(marks), lambda at: ord(at[1]) - at[0])
    ends = ([sign for _, sign in run] for _, run in runs)
    return "".join(f"{run[0]}-{run[-1]}" for run in ends)


SIGNS = rf"[\w{_marks()}\u200c\u200d .'’·\-]"
NAME = rf"[^\W\d_]{SIGNS}{{0,38}}(?:\s?\([^()\n]{{1,30}}\))?"
CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
DAY = rf"(?:{DATE}|today|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day|heute|gestern)"
MONTH_DAY = (
    r"(?:[^\W\d_]{3,10}\.?\s\d{1,2},?\s\d{4}"
    r"|\d{1,2}\.?\s(?:de\s)?[^\W\d_]{3,10}\.?\s(?:de\s)?\d{4})"
)
# A time that stands in a line of its own, above who speaks; and what an archive notes below it.
STAMP_LINE = re.compile(
    rf"\A\s*+(?:[\[(](?:{DATE},?\s+)?-?[\d:.,]{{4,14}}[\])]"
    rf"|(?:{DATE}|{MONTH_DAY}),?(?:\sat)?\s{{1,3}}{CLOCK}(?:\s\([^()\n]{{1,60}}\))?)\s*+\Z"
)
_ABOVE = re.compile(
    rf"\A\s*+(?:"
    rf"\[(?:{DAY},?\s+)?{CLOCK}(?:\s•\s{DATE})?\]\s+(?P<bracket>{NAME})\s?:?"
    rf"|(?:{DAY},?\s{{1,3}})?{CLOCK}\s+(?P<behind>{NAME})"
    rf"|(?P<before>[^\W\d_]{SIGNS}{{0,38}}?)(?:\s?[,|•·—–-]\s?|\s{{1,4}}|\s?[\[(])"
    rf"(?:(?:{DAY}|{MONTH_DAY}),?\s{{1,3}}(?:at\s|um\s)?)?{CLOCK}[\])]?)\s*+\Z",
    re.IGNORECASE,
)
_PLAIN = re.compile(rf"\A\s*+(?:\#{{1,6}}\s+)?(?:\*\*|__)?(?P<name>{NAME})\s?(?:\*\*|__)?\s*+\Z")
_IN_BRACKETS = re.compile(
    rf"\A\s*+(?:[\[(]?(?:{DATE},?\s+)?{CLOCK}[\])]?\s+)?"
    rf"(?:\[(?P<square>{NAME})\]|<(?P<angle>{NAME})>|\((?P<round>[^\W\d_]{SIGNS}{{0,38}})\))"
    r"(?P<sign>\s?[:：])?\s+(?=\S)"
)
_CAPITALS = re.compile(rf"\A\s*+(?P<name>[^\W\d_]{SIGNS[:-1]}]{{1,38}}?)[.]\s+(?=\S)")
_HAS_DAY = re.compile(rf"{DATE}|{MONTH_DAY}|—", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?…。！？؟।:;,]\Z")
_NUMBER = re.compile(r"\A\+?[\d\s().-]{6,24}\Z")
# What programs put in brackets at the heads of lines, and tags of a page.
_NO_NAMES = frozenset(
    """info warn warning error debug fatal trace critical notice todo done fixme ok fail failed
    pass passed skip skipped new added fixed changed removed deprecated security note optional
    required deleted edited tip important caution example http https ftp mailto""".split()
)
_SPOKEN = frozenset({"you", "you said", "chatgpt said", "prompt", "response"})


@dataclass(frozen=True, slots=True)
class Head:
    """A name that somebody's words stand behind (`text`) or below (`is_above`)."""

    name: str
    text: str = ""
    is_above: bool = False
    has_time: bool = False
    has_day: bool = False


def bracketed(line: str) -> Head | None:
    """Return who speaks by a name in brackets, as `[Agent] Hello.`, or in capitals, with a stop."""
    if line.lstrip()[:1] not in "[<(" and not line[:1].isupper() and not line[:1].isdigit():
        return None
    found = _IN_BRACKETS.match(line[:200])
    if found:
        name = found["square"] or found["angle"] or found["round"]
        is_tag = bool(found["angle"]) and name.isascii() and name.islower()
        if is_tag and name not in ROLE_OF:
            return None
        return None if canonical(name) in _NO_NAMES else Head(name, line[found.end() :].strip())
    found = _CAPITALS.match(line[:80])
    if found and found["name"].isupper() and len(found["name"].split()) <= MOST_WORDS:
        is_word = len(found["name"]) > 1 and not set(found["name"]) <= set("IVXLCDM ")
        has_number = any(word.isdigit() for word in found["name"].split())
        if is_word and not has_number and canonical(found["name"]) not in _NO_NAMES:
            return Head(found["name"], line[found.end() :].strip())
    return None


def above(line: str, *, is_below_time: bool = False) -> Head | None:
    """Return who says what comes below: a name beside a time, below one, or a word for a role."""
    if len(line) > 3 * LONGEST_NAME:
        return None
    found = _ABOVE.match(line) if ":" in line else None
    if found:
        name = (found["bracket"] or found["behind"] or found["before"]).strip(" :,|•·—–-")
        has_day = bool(_HAS_DAY.search(line))
        has_time = has_day or bool(found["bracket"])
        head = Head(name, "", is_above=True, has_time=has_time, has_day=has_day)
        return head if may_be_name(name) else None
    if is_below_time and may_be_name(line.strip()):
        return Head(line.strip(), "", is_above=True)
    found = _PLAIN.match(line)
    name = canonical(found["name"]) if found else ""
    if found and len(name) > 2 and (name in ROLE_OF or name in _SPOKEN):
        return Head(found["name"].strip(), "", is_above=True)
    return None


def may_be_name(text: str) -> bool:
    """Say whether a few words may be a name: no sentence, or a number of a telephone."""
    if not 0 < len(text) <= LONGEST_NAME or _SENTENCE.search(text) or ":" in text:
        return False
    is_word = text[0].isalpha() and len(text.split()) <= MOST_WORDS
    return is_word or bool(_NUMBER.match(text)) or not text.isascii()
