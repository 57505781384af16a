"""What may, must or can be done: “You must …”, “Employees may …”."""

from __future__ import annotations

from itertools import pairwise

from datasets_app.corpus.pairs.grammar import MODALS, asked, clause, is_self_contained, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.told import Told, by_sentence

ASKED_AS = {"cannot": "can", "must not": "may", "should not": "should"}
DUTIES = frozenset(
    "need needs have has required allowed expected eligible entitled permitted encouraged".split()
)
NO_VERB = frozenset("be see note find want think imagine expect notice look refer say hear".split())


def _ask(page: Page, one: Told) -> str | None:
    """Return a question for a sentence that says what may or must be done."""
    return _question(page, one.words, one.low) or _duty(page, one.words, one.low)


def _question(page: Page, words: list[str], low: list[str]) -> str | None:
    at = next((at for at, word in enumerate(low[:9]) if word in MODALS), None)
    if not at or MODALS[low[at]] in {"might", "could", "would", "will"}:
        return None
    modal = MODALS[low[at]]
    is_no = low[at] != modal or low[at + 1 : at + 2] == ["not"]
    if is_no and modal == "must":
        modal = "may"
    who = "I" if low[:at] == ["you"] else subject_of(page, words[:at])
    rest = clause(words[at + 2 if low[at + 1 : at + 2] == ["not"] else at + 1 :])
    is_you = who == "I"
    if who is None or not 3 <= len(rest) <= 13 or not is_self_contained(rest):
        return None
    verb = rest[0].lower()
    if (is_you and verb in NO_VERB) or not verb.isalpha() or verb.endswith("ly"):
        return None
    if modal == "must":
        return asked("Do I have to", rest) if is_you else None
    return asked(f"{modal} {who}", rest)


def _duty(page: Page, words: list[str], low: list[str]) -> str | None:
    """Ask whether one needs to, or is required, allowed or expected to."""
    at = next(
        (n for n, pair in enumerate(pairwise(low)) if pair[1] == "to" and pair[0] in DUTIES), 0
    )
    if not at or at > 9:
        return None
    aux = at - 1 if low[at - 1] in {"will", "are", "is"} else at
    is_you = low[:aux] in (["you"], ["you’ll"], ["you'll"])
    who = "I" if is_you else subject_of(page, words[:aux])
    rest = clause(words[at + 2 :])
    if who is None or not 2 <= len(rest) <= 12 or not is_self_contained(rest):
        return None
    if low[at] in {"need", "have"}:
        return asked("Do I have to" if is_you else f"Do {who} have to", rest)
    if low[at] in {"needs", "has"}:
        return None if is_you else asked(f"Does {who} have to", rest)
    be = "Am" if is_you else {"is": "Is", "are": "Are"}.get(low[at - 1], "")
    return asked(f"{be} {who} {low[at]} to", rest) if be else None


PATTERN = Pattern(
    name="permissions",
    label="What may or must be done",
    sentence="“You may …”, “Employees can …”: asks whether one may or has to.",
    example=("You may work from home on two days.", "May I work from home on two days?"),
    find=by_sentence(_ask),
)
