"""Lines of exported chats: a date and a time, then who writes and what, or a notice of the app."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Marks of direction, which exporters put before lines, names and whatever the app itself says.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_LINE = re.compile(
    rf"\A[{MARKS}]*+\[?\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}},?\s++\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?+"
    r"(?:\s?[AaPp]\.?\s?[Mm]\b\.?)?+"
    rf"(?:\]|(?=\s++[-–—]\s))(?:\s*+[-–—](?=\s))?+\s++(?P<rest>[{MARKS}]*+\S.*)\Z",
    re.DOTALL,
)
_WHO = re.compile(r"(?P<name>[^:\n]{1,60}):(?:\s+(?P<text>.*))?\Z", re.DOTALL)
_DASHED = re.compile(r"[^\W\d_][\w .'’-]{0,38}\s[-–—]\s")
# What stands where a picture, a voice or a message that was taken back stood.
_OMITTED = re.compile(r"\A<[^<>\n]{3,40}>\Z")
_TAKEN_BACK = re.compile(
    r"\A(?:this message was deleted|you deleted this message|null|missed (?:voice|video) call"
    r"|diese nachricht wurde gelöscht|se eliminó este mensaje|ce message a été supprimé)\.?\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """Who writes and what; both are "" where the app speaks or something was left out."""

    name: str = ""
    text: str = ""


def is_taken_back(text: str) -> bool:
    """Say whether these words stand where a message or a file was."""
    bare = text.strip(MARKS + " ")
    return bool(_OMITTED.match(bare) or _TAKEN_BACK.match(bare))


def chat_line(line: str) -> ChatLine | None:
    """Return what a line of an exported chat says, or None where no dated line begins."""
    found = _LINE.match(line)
    if found is None:
        return None
    who = _WHO.match(found["rest"])
    if who is None:
        return None if _DASHED.match(found["rest"]) else ChatLine()
    text = who["text"] or ""
    bare = text.strip(MARKS + " ")
    is_of_app = text[:1] in MARKS and bool(text)
    if is_of_app or is_taken_back(bare):
        return ChatLine()
    return ChatLine(who["name"].strip(MARKS + "~ \u202f\u00a0"), bare)
