"""How many, how much, how long: a sentence with a number and its unit."""

from __future__ import annotations

import re

from datasets_app.corpus.pairs.grammar import (
    MODALS,
    asked,
    clause,
    flipped,
    is_self_contained,
    subject_of,
)
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

NUMBER = re.compile(
    r"(?:\d[\d,.]{0,12}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|"
    r"twenty|thirty|forty|sixty|ninety|hundred)\Z"
)
MONEY = re.compile(r"[$€£]\d[\d,.]{0,15}\Z|\d[\d,.]{0,15}[€£]\Z")
AROUND = frozenset("up to at least most about around only approximately exactly more than".split())
UNITS = frozenset("seconds minutes hours days weeks months years".split())
HAS = {"have": "do", "has": "does", "get": "do", "gets": "does", "receive": "do"}
BASE = {"has": "have", "gets": "get"}


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says how many or how much."""
    return (
        _money(page, one.words, one.low)
        or _within(one.words, one.low)
        or _many(page, one.words, one.low)
    )


def _verb(low: list[str]) -> int:
    verbs = MODALS.keys() | HAS.keys() | {"costs", "cost", "is", "are", "was", "were"}
    return next((at for at, word in enumerate(low[:9]) if word in verbs), 0)


def _money(page: Page, words: list[str], low: list[str]) -> str | None:
    at = _verb(low)
    number = next((n for n, word in enumerate(low[: at + 6]) if MONEY.match(word)), 0)
    if not at or number <= at or set(low[at + 1 : number]) - AROUND:
        return None
    subject = subject_of(page, words[:at])
    if subject is None:
        return None
    if low[at] in {"costs", "cost"}:
        return f"How much {'does' if low[at] == 'costs' else 'do'} {subject} cost?"
    return f"How much {low[at]} {subject}?" if low[at] in {"is", "are", "was", "were"} else None


def _within(words: list[str], low: list[str]) -> str | None:
    """Ask how soon one must do what is to be done within some days."""
    if low[0] != "you" or low[1:2] == [] or low[1] not in {"must", "should", "need", "have", "can"}:
        return None
    at = next((n for n, word in enumerate(low) if word == "within"), 0)
    first = 3 if low[1] in {"need", "have"} and low[2:3] == ["to"] else 2
    units = UNITS.intersection(low[at + 1 : at + 6])
    doing = words[first:at]
    is_clear = 2 <= len(doing) <= 12 and len(clause(doing)) == len(doing) and units
    if not at or not is_clear or not is_self_contained(doing):
        return None
    return asked("How soon can I" if low[1] == "can" else "How soon do I have to", doing)


def _many(page: Page, words: list[str], low: list[str]) -> str | None:
    """Ask how many of a thing somebody has, gets or may do."""
    at = _verb(low)
    number = next((n for n, word in enumerate(low[: at + 9]) if n > at and NUMBER.match(word)), 0)
    if not at or not number or low[at] in {"is", "are", "was", "were", "cost", "costs"}:
        return None
    verb = [word for word in words[at + 1 : number] if word.lower() not in AROUND]
    if len(verb) > 3 and verb[-1].lower() == "of":  # a maximum of
        verb = verb[:-3]
    who = "I" if low[:at] == ["you"] else subject_of(page, words[:at])
    what = _thing(words, low, number + 1)
    is_modal = low[at] in MODALS
    if who is None or what is None or len(verb) > 4 or bool(verb) != is_modal:
        return None
    if {"not", "be"} & set(low[at:number]) or not is_self_contained([*verb, *what]):
        return None
    if is_modal:
        return asked(f"How many {flipped(' '.join(what))} {MODALS[low[at]]} {who}", verb)
    do = HAS[low[at]]
    return asked(f"How many {flipped(' '.join(what))} {do} {who} {BASE.get(low[at], low[at])}")


def _thing(words: list[str], low: list[str], at: int) -> list[str] | None:
    """Return what is counted: a plural, with what belongs to it by “of”."""
    end = at
    while end < len(words) and end < at + 3 and not low[end].endswith("s"):
        if not low[end].replace("-", "").isalpha() or words[end] != words[end].strip(",.;:"):
            return None
        end += 1
    is_plural = end < len(words) and low[end].endswith("s") and not low[end].endswith("ss")
    if not is_plural or len(low[end]) < 4:
        return None
    thing = [*words[at:end], low[end]]
    if words[end] == words[end].strip(",.;:") and low[end + 1 : end + 2] == ["of"]:
        of = clause(words[end + 1 : end + 4])
        while of and of[-1].lower() in {"the", "a", "an", "of", "in", "on", "for", "to", "per"}:
            of.pop()
        thing += of
    return thing


PATTERN = Pattern(
    name="amounts",
    label="How many, how much, how long",
    sentence="A sentence with a number and what is counted: asks how many.",
    example=("Employees may carry over 240 hours.", "How many hours may employees carry over?"),
    find=by_sentence(_ask),
)
