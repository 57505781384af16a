"""Lines of exported chats: a date and a time, then who writes and what, or a notice of the app."""

from __future__ import annotations

import re
from dataclasses import dataclass

from datasets_app.corpus.parsing import taken_back

# Marks of direction, which exporters put before lines, names and whatever the app itself says.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_M = rf"[{MARKS}]{{0,2}}"
# The halves of the day, before or behind the time, as phones of many languages write them.
_HALVES = (
    *(r"[AaPp]\.?\s?[Mm]\b\.?", "[صم]", r"[قب]\.\s?ظ\.?"),
    *(
        "上午|下午|凌晨|早上|中午|傍晚|晚上|清晨",
        "午前|午後",
        "오전|오후",
        "πμ|μμ|π\\.μ\\.|μ\\.μ\\.",
        r"[fe]\.?m\.?",
        r"[ai]p\.?",
        "SA|CH",
    ),
    *("ÖÖ|ÖS", "PG|PTG", r"d[eu]\.?", r"dop\.?|odp\.?", r"vorm\.|nachm\.", "[дп]п\\.?"),
    *("पूर्वाह्न|अपराह्न|पू|अ", "ก่อนเที่ยง|หลังเที่ยง", 'לפנה[״"]צ|אחה[״"]צ', r"пр\.об\.|сл\.об\."),
)
_HALF = rf"(?:{'|'.join(_HALVES)})"
_DAY = (
    rf"(?:{_M}\d{{1,4}}{_M}\.?[./-]{_M}\s?\d{{1,2}}{_M}\.?[./-]{_M}\s?\d{{1,4}}{_M}\.?"
    r"|\d{4}[年년]\s?\d{1,2}[月월]\s?\d{1,2}[日일])"
)
_TIME = rf"(?:{_HALF}\s?)?\d{{1,2}}{_M}[:.]{_M}\d\d(?:{_M}[:.]{_M}\d\d)?(?:\s?{_HALF})?{_M}"
_LINE = re.compile(
    rf"\A[{MARKS}]*+\[?(?P<stamp>{_DAY}[,،]?\s{{1,3}}(?:klo\s|kl\.?\s)?{_TIME})"
    rf"(?:\]|(?=\s++[-–—]\s)|(?=,\s[^\n:]{{1,60}}\s:\s))(?:\s*+[-–—](?=\s)|,)?+"
    rf"\s++(?P<rest>[{MARKS}]*+\S.*)\Z",
    re.DOTALL,
)
_WHO = re.compile(r"(?P<name>[^:\n]{1,60}):(?:\s+(?P<text>.*))?\Z", re.DOTALL)
_DASHED = re.compile(r"[^\W\d_][\w .'’-]{0,38}\s[-–—]\s")
_EDITED = re.compile(rf"\s?[{MARKS}]<[^<>\n]{{4,60}}>\Z")
# KakaoTalk names before it says when; LINE divides by tabs. The day stands above.
_KAKAO = re.compile(
    rf"\A\[(?P<name>[^\[\]\n]{{1,40}})\]\s\[(?P<stamp>{_TIME})\]\s(?P<text>.*)\Z", re.DOTALL
)
_TABS = re.compile(rf"\A(?P<stamp>{_TIME})\t(?P<name>[^\t\n]{{1,40}})\t(?P<text>.*)\Z", re.DOTALL)
_WEEKDAY = r"(?:\s?[(\uff08][^\W\d_]{1,9}[)\uff09]|,?\s[^\W\d_]{2,12})"
DAY_LINE = re.compile(
    rf"\A\s*+(?:[-=–—*]{{2,40}}\s?{_DAY}{_WEEKDAY}?\s?[-=–—*]{{2,40}}|{_DAY}{_WEEKDAY})\s*+\Z"
)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """Who writes and what; both are "" where the app speaks or something was left out.

    `stamp` is when, as it stands there; `alone` what follows it where no colon does, which is a
    notice or, in other programs, the name above a message.
    """

    name: str = ""
    text: str = ""
    stamp: str = ""
    alone: str = ""


def is_taken_back(text: str) -> bool:
    """Say whether these words stand where a message or a file was."""
    return taken_back.is_taken_back(text.strip(MARKS + " "))


def chat_line(line: str) -> ChatLine | None:
    """Return what a line of an exported chat says, or None where no dated line begins."""
    told = line.rstrip("\r\n")
    if DAY_LINE.match(told[:120]):
        return ChatLine(stamp=told.strip(" -=–—*"))
    found = _LINE.match(told)
    if found is None:
        return _other(told)
    stamp = bare(found["stamp"])
    who = _WHO.match(found["rest"])
    if who is None:
        is_prose = _DASHED.match(found["rest"])
        return None if is_prose else ChatLine(stamp=stamp, alone=bare(found["rest"]))
    is_listed = "年" in stamp or "년" in stamp
    return _said(who["name"], who["text"] or "", stamp, is_listed=is_listed)


def bare(text: str) -> str:
    """Return a text without marks of direction."""
    return "".join(sign for sign in text if sign not in MARKS).strip()


def _other(line: str) -> ChatLine | None:
    found = _KAKAO.match(line) or _TABS.match(line)
    if found is None:
        return None
    return _said(found["name"], found["text"], bare(found["stamp"]), is_listed=True)


def _said(name: str, text: str, stamp: str, *, is_listed: bool = False) -> ChatLine:
    is_of_app = text[:1] in MARKS and bool(text)
    told = _EDITED.sub("", text[-80:])
    told = (text[:-80] + told).strip(MARKS + " \n")
    if is_of_app or taken_back.is_taken_back(told, is_listed=is_listed):
        return ChatLine(stamp=stamp)
    return ChatLine(name.strip(MARKS + "~ \u202f\u00a0"), told, stamp)
