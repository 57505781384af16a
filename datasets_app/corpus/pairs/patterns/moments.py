"""When something is: a sentence with a date, a weekday or a time."""

from __future__ import annotations

import re

from datasets_app.corpus.pairs.grammar import (
    BE,
    asked,
    clause,
    is_self_contained,
    subject_of,
)
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

MOMENT = re.compile(
    r"\b(?:(?:1[0-9]|20)\d\d\b(?! [a-z]+s\b)|(?:January|February|March|April|June|July|August|"
    r"September|October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|"
    r"Sunday)s?\b|\d{1,2}(?::\d\d)? ?[ap]\.?m\b)"
)
BEFORE = frozenset(
    "in on by from until since before after at between during every each for".split()
)
HAPPENS = {
    "begins": "begin",
    "starts": "start",
    "ends": "end",
    "opens": "open",
    "closes": "close",
    "expires": "expire",
    "runs": "run",
    "meets": "meet",
    "occurs": "occur",
    "became": "become",
    "began": "begin",
    "started": "start",
    "ended": "end",
    "opened": "open",
    "closed": "close",
    "arrived": "arrive",
    "died": "die",
    "joined": "join",
    "won": "win",
    "met": "meet",
    "occurred": "occur",
    "appeared": "appear",
    "moved": "move",
    "left": "leave",
    "published": "publish",
    "introduced": "introduce",
    "founded": "found",
    "signed": "sign",
    "launched": "launch",
    "released": "release",
    "adopted": "adopt",
    "received": "receive",
    "invaded": "invade",
    "conquered": "conquer",
    "entered": "enter",
    "expired": "expire",
}
PAST = frozenset(word for word in HAPPENS if not word.endswith("s"))
DONE = frozenset(
    "built made born held sent paid set due written known found given taken begun sold".split()
)


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says when something was or is."""
    if not MOMENT.search(one.sentence.text):
        return None
    return _question(page, one.words, one.low) or _year(one.words, one.low)


def _year(words: list[str], low: list[str]) -> str | None:
    """Ask what happened, of “In 1066, …”."""
    is_year = low[0] == "in" and words[1][:4].isdigit() and words[1][4:] == ","
    return f"What happened in {words[1][:4]}?" if is_year else None


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((at for at, word in enumerate(low[:9]) if word in BE | HAPPENS.keys() | {"will"}), 0)
    when = next((n for n, _ in enumerate(low) if n > at and _is_when(words, low, n)), None)
    if not at or when is None or when > at + 10:
        return None
    subject = subject_of(page, words[:at])
    rest = clause(words[at + 1 : when])
    if subject is None or len(rest) != when - at - 1 or not is_self_contained(rest):
        return None
    if low[at] in HAPPENS:
        do = "did" if low[at] in PAST else "does"
        return asked(f"When {do} {subject} {HAPPENS[low[at]]}", rest)
    if low[at] == "will":
        return asked(f"When will {subject}", rest) if rest else None
    is_done = rest and (rest[0].lower().endswith("ed") or rest[0].lower() in DONE)
    if rest and not is_done:
        return None
    return asked(f"When {low[at]} {subject}", rest) or (
        f"When {low[at]} {subject}?" if not rest else None
    )


def _is_when(words: list[str], low: list[str], at: int) -> bool:
    near = " ".join(words[at + 1 : at + 5])
    found = MOMENT.search(near)
    return low[at] in BEFORE and found is not None and found.start() < 10


PATTERN = Pattern(
    name="moments",
    label="When",
    sentence="A sentence with a date or a time: asks when that is.",
    example=("The office was opened in May 2019.", "When was the office opened?"),
    find=by_sentence(_ask),
)
